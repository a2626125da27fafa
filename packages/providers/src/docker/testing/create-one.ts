import { aRequest } from '../../testing/a-request.ts';
import { aDockerProvider } from './docker-bench.ts';

// Creates the instance `runner-1` on the engine at the socket given, says so, and ends.
const [socket = ''] = process.argv.slice(2);
const provider = await aDockerProvider(socket);
const { instanceId } = await provider.create(aRequest(), new AbortController().signal);
process.stdout.write(`created ${instanceId}\n`);
