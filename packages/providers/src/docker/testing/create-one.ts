import { z } from 'zod';
import { aRequest } from '../../testing/a-request.ts';
import { aDockerProvider } from './docker-bench.ts';

const objectSchema = z.record(z.string(), z.unknown());

// Creates the instance `runner-1` on the engine at the socket given, with these settings and changes
// of the definition, and ends.
const [socket = '', ...given] = process.argv.slice(2);
const [settings, changes = {}] = given.map((text) => objectSchema.parse(JSON.parse(text)));
const provider = await aDockerProvider(socket, changes);
await provider.create(aRequest({ settings }), new AbortController().signal);
