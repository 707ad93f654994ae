// SPDX-License-Identifier: ISC
// The TypeScript SDK, version 1, over Streamable HTTP and WebSocket.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport }
    from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { WebSocketClientTransport }
    from '@modelcontextprotocol/sdk/client/websocket.js';
import { ToolListChangedNotificationSchema }
    from '@modelcontextprotocol/sdk/types.js';
import WebSocket from 'ws';
import { askAlice, askBob, badArguments, headers, info, url }
    from './common.mjs';
import { check, done } from './tap.mjs';

async function http(name) {
	const client = new Client(info);
	await client.connect(new StreamableHTTPClientTransport(url,
	    { requestInit: { headers: headers(name) } }));
	return client;
}

// The SDK's socket cannot send a header; this one can, as the tools of a
// platform would.
async function socket(name) {
	const ca = readFileSync(process.env.NODE_EXTRA_CA_CERTS);
	globalThis.WebSocket = class extends WebSocket {
		constructor(address, protocols) {
			super(address, protocols,
			    { headers: headers(name), ca });
		}
	};
	const client = new Client(info);
	const address = new URL(url);
	address.protocol = 'wss:';
	await client.connect(new WebSocketClientTransport(address));
	return client;
}

for (const [kind, connect] of [['http', http], ['websocket', socket]]) {
	await check(`sdk 1, ${kind}: an analyst`, async () => {
		const client = await connect('alice');
		assert.equal(client.getServerVersion().name, 'mcpd');
		await client.ping();
		await askAlice(client);
		await badArguments(client);
		await client.close();
	});
	await check(`sdk 1, ${kind}: a reader`, async () => {
		const client = await connect('bob');
		await askBob(client);
		await client.close();
	});
	await check(`sdk 1, ${kind}: many calls at once`, async () => {
		const client = await connect('alice');
		const calls = [...Array(50).keys()].map((n) =>
		    client.callTool({ name: 'sqlite.query',
		    arguments: { sql: 'SELECT ?', parameters: [n] } }));
		for (const [n, result] of (await Promise.all(calls)).entries())
			assert.equal(
			    JSON.parse(result.content[0].text).rows[0][0], n);
		await client.close();
	});
	await check(`sdk 1, ${kind}: a cancelled call`, async () => {
		const client = await connect('tester');
		const stop = new AbortController();
		const call = client.callTool({ name: 'shell.container',
		    arguments: { script: 'sleep 2' } }, undefined,
		    { signal: stop.signal });
		setImmediate(() => stop.abort('enough'));
		await assert.rejects(call, /enough/);
		await client.ping();
		await client.close();
	});
}

await check('sdk 1, http: the session ends', async () => {
	const client = await http('alice');
	await client.transport.terminateSession();
	assert.equal(client.transport.sessionId, undefined);
	await client.close();
});

await check('sdk 1, http: told of changed tools', async () => {
	const client = await http('alice');
	const told = new Promise((resolve) => client.setNotificationHandler(
	    ToolListChangedNotificationSchema, resolve));
	// The stream is opened by the client after its first request.
	await client.listTools();
	process.send?.('reload');
	await told;
	await client.close();
});

done();
