// SPDX-License-Identifier: ISC
// The TypeScript SDK, version 2, in each of its ways to find the era.

import assert from 'node:assert/strict';
import { Client, StreamableHTTPClientTransport }
    from '@modelcontextprotocol/client';
import { askAlice, askBob, badArguments, headers, info, url }
    from './common.mjs';
import { check, done } from './tap.mjs';

const modes = { legacy: 'legacy', auto: 'auto',
    modern: { pin: '2026-07-28' } };

async function connect(mode, name) {
	const client = new Client(info, { versionNegotiation: { mode } });
	await client.connect(new StreamableHTTPClientTransport(url,
	    { requestInit: { headers: headers(name) } }));
	return client;
}

for (const [word, mode] of Object.entries(modes)) {
	await check(`sdk 2, ${word}: an analyst`, async () => {
		const client = await connect(mode, 'alice');
		await askAlice(client);
		await badArguments(client);
		await client.close();
	});
	await check(`sdk 2, ${word}: a reader`, async () => {
		const client = await connect(mode, 'bob');
		await askBob(client);
		await client.close();
	});
	await check(`sdk 2, ${word}: a cancelled call`, async () => {
		const client = await connect(mode, 'tester');
		const stop = new AbortController();
		const call = client.callTool({ name: 'shell.container',
		    arguments: { script: 'sleep 2' } },
		    { signal: stop.signal });
		setImmediate(() => stop.abort(new Error('enough')));
		await assert.rejects(call);
		await client.listTools();
		await client.close();
	});
	await check(`sdk 2, ${word}: a key that is none`, async () => {
		const client = new Client(info,
		    { versionNegotiation: { mode } });
		await assert.rejects(client.connect(
		    new StreamableHTTPClientTransport(url, { requestInit:
		    { headers: { Authorization: 'Bearer mcpd_no_no' } } })));
	});
}

done();
