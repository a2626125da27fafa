import { aRequest } from '../../testing/a-request.ts';
import { aProcessProvider } from './process-bench.ts';

// Creates one instance in the directory given and then waits to be killed.
const [directory = '', kind = ''] = process.argv.slice(2);
const chatty = ['/bin/sh', '-c', 'while :; do echo still here; sleep 0.05; done'];
const changes = kind === 'chatty' ? { command: chatty } : {};
const provider = await aProcessProvider(directory, changes);
await provider.create(aRequest(), new AbortController().signal);
process.stdout.write('created\n');
setInterval(() => undefined, 60_000);
