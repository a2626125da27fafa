import { aRequest } from '../../testing/a-request.ts';
import { aProcessProvider } from './process-bench.ts';

// Creates one instance in the directory given and then waits to be killed.
const [directory = ''] = process.argv.slice(2);
const provider = await aProcessProvider(directory);
await provider.create(aRequest(), new AbortController().signal);
process.stdout.write('created\n');
setInterval(() => undefined, 60_000);
