// SPDX-License-Identifier: ISC
// One TAP line for each named check; the process fails if one did.

let failed = false;

export async function check(what, run) {
	const limit = AbortSignal.timeout(60000);
	const late = new Promise((_, reject) => limit.addEventListener('abort',
	    () => reject(new Error('no end within 60 s'))));
	try {
		await Promise.race([run(), late]);
		console.log(`ok - ${what}`);
	} catch (error) {
		failed = true;
		console.log(`not ok - ${what}`);
		for (const line of String(error?.stack ?? error).split('\n'))
			console.log(`# ${line}`);
	}
}

export function done() {
	process.exit(failed ? 1 : 0);
}
