// SPDX-License-Identifier: ISC
// What every client of the official libraries is asked to do.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

export const url = new URL(process.env.MCPD_URL);
export const key = (name) =>
    readFileSync(`${process.env.MCPD_DIR}/${name}.key`, 'utf8').trim();
export const info = { name: 'regress', version: '1' };
export const headers = (name) => ({ Authorization: `Bearer ${key(name)}` });

export const names = (list) => list.tools.map((tool) => tool.name).sort();

// alice is an analyst, bob a reader: etc/policy.d says what they may.
export async function askAlice(client) {
	assert.deepEqual(names(await client.listTools()),
	    ['docs.search', 'jq', 'sqlite.query']);
	const jq = await client.callTool({ name: 'jq',
	    arguments: { filter: '[.[] * 2]', input: [1, 2, 3] } });
	assert.ok(!jq.isError, JSON.stringify(jq));
	assert.equal(jq.content[0].text.trim(), '[2,4,6]');
	const sql = await client.callTool({ name: 'sqlite.query',
	    arguments: { sql: 'SELECT name FROM items WHERE quantity > ?',
	    parameters: [100] } });
	assert.ok(!sql.isError, JSON.stringify(sql));
	assert.deepEqual(JSON.parse(sql.content[0].text).rows,
	    [['badge'], ['cable']]);
	const docs = await client.callTool({ name: 'docs.search',
	    arguments: { query: 'BACKUP', limit: 50 } });
	assert.ok(!docs.isError, JSON.stringify(docs));
	// The address in the document is personal data: redacted.
	assert.match(docs.content[0].text, /\[redacted:/);
	assert.doesNotMatch(docs.content[0].text, /ops@example/);
}

export async function askBob(client) {
	assert.deepEqual(names(await client.listTools()),
	    ['docs.search', 'jq']);
	await assert.rejects(client.callTool({ name: 'sqlite.query',
	    arguments: { sql: 'SELECT 1' } }), /Unknown tool/);
}

export async function badArguments(client) {
	const result = await client.callTool({ name: 'jq',
	    arguments: { filter: 7, input: 1 } });
	assert.equal(result.isError, true);
	assert.match(result.content[0].text, /\/filter/);
}
