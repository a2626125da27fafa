// What `npm start` and `npm test` run, and the way to `baton` and the services where Node is old:
// brings the toolchain that Baton needs, then hands over to it. Runs on what a machine has (Node 20
// or newer), with nothing installed. Says what it does on stderr; stdout belongs to the program that
// it starts.
import { ensureDependencies } from './toolchain/dependencies.mjs';
import { requireDocker } from './toolchain/docker.mjs';
import { findNatsServer, requireNatsServer } from './toolchain/nats-server.mjs';
import { root } from './toolchain/paths.mjs';
import { requirePrograms } from './toolchain/programs.mjs';
import { requirePrometheus } from './toolchain/prometheus.mjs';
import { runToTheEnd } from './toolchain/run-to-the-end.mjs';
import { LaunchError, say } from './toolchain/say.mjs';
import { ensureToolchain } from './toolchain/toolchain.mjs';

/** See docs/adr/0005-memory-of-a-listener.md; also packages/stack/src/service-process.ts. */
const memory = {
  listener: ['--max-semi-space-size=8', '--heap-growing-percent=30'],
  provisioner: ['--max-semi-space-size=16', '--heap-growing-percent=60'],
  janitor: ['--max-semi-space-size=8', '--heap-growing-percent=30'],
};

/** Runs where the caller is, so that a file on its command line is the caller's. */
const program = (file, ...nodeOptions) => ({
  needs: ['dependencies'],
  argv: () => [...nodeOptions, `${root}/${file}`],
  cwd: process.cwd(),
});

/** The tests of one project, or with a `!` those of all others. */
const vitest = (project) => ['node_modules/vitest/vitest.mjs', 'run', '--project', project];

/** What each command runs, with our Node, in the root of the repository if not said, and what it needs. */
const commands = {
  start: { needs: ['dependencies', 'nats'], argv: () => ['packages/stack/src/main.ts'] },
  test: { needs: ['dependencies', 'nats', 'curl'], argv: () => vitest('!engines') },
  'test:engines': {
    needs: ['dependencies', 'nats', 'docker', 'prometheus'],
    argv: () => vitest('engines'),
  },
  bench: { needs: ['dependencies', 'nats'], argv: () => ['bench/main.ts'] },
  chaos: { needs: ['dependencies', 'nats'], argv: () => ['bench/chaos/main.ts'] },
  soak: { needs: ['dependencies', 'nats'], argv: () => ['bench/soak/main.ts'] },
  check: { needs: ['dependencies'], argv: (pnpm) => [pnpm, 'run', 'check'] },
  baton: program('packages/cli/src/main.ts'),
  listener: program('services/listener/src/main.ts', ...memory.listener),
  provisioner: program('services/provisioner/src/main.ts', ...memory.provisioner),
  janitor: program('services/janitor/src/main.ts', ...memory.janitor),
  simulator: program('packages/github-sim/src/main.ts'),
  pnpm: { needs: [], argv: (pnpm) => [pnpm] },
};

const usage = `usage: node scripts/launch.mjs ${Object.keys(commands).join('|')} [arguments]`;

async function launch([name, ...args]) {
  if (!Object.hasOwn(commands, name ?? '')) throw new LaunchError(usage, 2);
  const command = commands[name];
  const toolchain = await ensureToolchain();
  if (command.needs.includes('dependencies')) await ensureDependencies(toolchain);
  if (command.needs.includes('docker')) await requireDocker();
  if (command.needs.includes('prometheus')) await requirePrometheus();
  // The machines of the external provider fetch with it what they run.
  if (command.needs.includes('curl')) await requirePrograms({ curl: 'curl' }, 'the tests');
  const natsServer = command.needs.includes('nats') ? await requireNatsServer() : findNatsServer();
  const argv = [...command.argv(toolchain.pnpm), ...args];
  return await runToTheEnd({ node: toolchain.node, natsServer, argv, cwd: command.cwd ?? root });
}

try {
  process.exitCode = await launch(process.argv.slice(2));
} catch (error) {
  say(error instanceof LaunchError ? error.message : String(error.stack));
  process.exitCode = error instanceof LaunchError ? error.exitCode : 1;
}
