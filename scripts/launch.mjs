// What `npm start` and `npm test` run: brings the toolchain that Baton needs, then hands over to
// it. Runs on what a machine has (Node 20 or newer), with nothing installed. Says what it does on
// stderr; stdout belongs to the program that it starts.
import { ensureDependencies } from './toolchain/dependencies.mjs';
import { findNatsServer, requireNatsServer } from './toolchain/nats-server.mjs';
import { runToTheEnd } from './toolchain/run-to-the-end.mjs';
import { LaunchError, say } from './toolchain/say.mjs';
import { ensureToolchain } from './toolchain/toolchain.mjs';

const usage = 'usage: node scripts/launch.mjs start|test|check|bench|chaos|pnpm [arguments]';

/** What each command runs, with our Node and in the root of the repository, and what it needs. */
const commands = {
  start: { needs: ['dependencies', 'nats'], argv: () => ['packages/stack/src/main.ts'] },
  test: { needs: ['dependencies', 'nats'], argv: () => ['node_modules/vitest/vitest.mjs', 'run'] },
  bench: { needs: ['dependencies', 'nats'], argv: () => ['bench/main.ts'] },
  chaos: { needs: ['dependencies', 'nats'], argv: () => ['bench/chaos/main.ts'] },
  check: { needs: ['dependencies'], argv: (pnpm) => [pnpm, 'run', 'check'] },
  pnpm: { needs: [], argv: (pnpm) => [pnpm] },
};

async function launch([name, ...args]) {
  if (!Object.hasOwn(commands, name ?? '')) throw new LaunchError(usage, 2);
  const command = commands[name];
  const toolchain = await ensureToolchain();
  if (command.needs.includes('dependencies')) await ensureDependencies(toolchain);
  const natsServer = command.needs.includes('nats') ? await requireNatsServer() : findNatsServer();
  const argv = [...command.argv(toolchain.pnpm), ...args];
  return await runToTheEnd({ node: toolchain.node, natsServer, argv });
}

try {
  process.exitCode = await launch(process.argv.slice(2));
} catch (error) {
  say(error instanceof LaunchError ? error.message : String(error.stack));
  process.exitCode = error instanceof LaunchError ? error.exitCode : 1;
}
