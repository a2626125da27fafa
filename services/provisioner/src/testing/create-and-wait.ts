import { createProvider, providerDefinitionSchema } from '@baton/providers';
import { Secret } from '@baton/shared/config';
import { systemClock } from '@baton/shared/time';
import { z } from 'zod';

// A creating process of its own: creates the instance that it is told, and then waits to be killed, before
// anybody could write down what it made.
const text = z.string();
const orderSchema = z.object({
  definition: providerDefinitionSchema,
  request: z.object({
    runnerId: text,
    runnerName: text,
    scaleSetId: text,
    installationId: text,
    generation: text,
  }),
  access: z.object({ metadataUrl: text, callbackUrl: text, repoUrl: text, token: text }),
});
const [, , order = ''] = process.argv;
const { definition, request, access } = orderSchema.parse(JSON.parse(order));
const provider = await createProvider(definition, {
  installationId: request.installationId,
  clock: systemClock,
  env: {},
  scaleSets: () => Promise.resolve([{ id: request.scaleSetId }]),
  bootstrap: () => ({
    issue: () => Promise.resolve({ ...access, token: new Secret(access.token) }),
  }),
});
const jitConfig = new Secret('kept for the instance already');
await provider.create({ ...request, jitConfig, settings: undefined }, new AbortController().signal);
process.stderr.write('created\n');
setInterval(() => undefined, 60_000);
