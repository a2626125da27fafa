import { aRequest } from '../../testing/a-request.ts';
import { aDockerProvider } from './docker-bench.ts';

// Creates the instance `runner-1` on the engine at the socket given, with these settings and changes
// of the definition, and ends.
const [socket = '', settings = '{}', changes = '{}'] = process.argv.slice(2);
const provider = await aDockerProvider(socket, JSON.parse(changes));
await provider.create(aRequest({ settings: JSON.parse(settings) }), new AbortController().signal);
