// SPDX-License-Identifier: ISC
// run.mjs SCRIPT MCPCTL DIR: runs a script; where it asks for a reload with
// other tools, makes one.

import { execFileSync, fork } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

const [script, mcpctl, dir] = process.argv.slice(2);
const child = fork(script, { stdio: 'inherit' });

child.on('message', () => {
	const file = `${dir}/tools.d/jq.yaml`;
	writeFileSync(file, readFileSync(file, 'utf8').replace(
	    'title: Transform JSON', 'title: Transform any JSON'));
	execFileSync(mcpctl, ['-s', `${dir}/run/control.sock`, 'reload']);
});
child.on('exit', (code) => process.exit(code ?? 1));
