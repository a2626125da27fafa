import { hintSubject } from '@baton/shared/contracts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fileOf, id } from '../testing/builders.ts';
import { startTestNats } from '../testing/setup.ts';

let nats: Awaited<ReturnType<typeof startTestNats>>;
let file: string;

beforeEach(async () => {
  nats = await startTestNats();
  file = await nats.file(fileOf('linux'));
  await nats.run('topology apply');
});
afterEach(async () => {
  await nats.stop();
});

test('creates, then changes nothing, then updates', async () => {
  const first = await nats.run(`apply -f ${file}`);
  const spec = await nats.readSpec();
  const second = await nats.run(`apply -f ${file} -o json`);
  const same = await nats.readSpec();
  const third = await nats.run(
    `apply -f ${await nats.file(`${fileOf('linux')}    maxRunners: 3\n`)}`,
  );

  expect(first).toMatchObject({ code: 0, stdout: 'scale set "linux" created\n', stderr: '' });
  expect(spec?.value).toMatchObject({
    v: 1,
    installationId: 'test',
    scaleSetId: id,
    deleting: false,
  });
  expect(second.json()).toEqual([
    { name: 'linux', scaleSetId: id, action: 'unchanged', fields: [] },
  ]);
  expect(same?.revision).toBe(spec?.revision);
  expect(third.stdout).toBe('scale set "linux" updated (maxRunners)\n');
  expect((await nats.readSpec())?.value.declaration.maxRunners).toBe(3);
});

test('wakes the services with a hint for each change, and only then', async () => {
  const hinted: string[] = [];
  await nats.withNats(async ({ connection }) => {
    connection.subscribe(hintSubject('spec', '*'), {
      callback: (_, { subject }) => hinted.push(subject),
    });
    await connection.flush();
    await nats.run(`apply -f ${file}`);
    await nats.run(`apply -f ${file}`);
    await connection.flush();
  });

  expect(hinted).toEqual([hintSubject('spec', id)]);
});

test('a dry run writes nothing', async () => {
  const { stdout } = await nats.run(`apply -f ${file} --dry-run`);

  expect(stdout).toBe('scale set "linux" created (dry run)\n');
  expect(await nats.readSpec()).toBeUndefined();
});

test('prune begins deletions, and a later one ends them', async () => {
  await nats.run(`apply -f ${file}`);
  const other = await nats.file(fileOf('other'));

  const begun = await nats.run(`apply -f ${other} --prune`);
  const refused = await nats.run(`apply -f ${file}`);
  await nats.reportDeleted();
  const ended = await nats.run(`apply -f ${other} --prune -o json`);

  expect(begun.stdout).toContain('scale set "linux" deleting;');
  expect(refused).toMatchObject({ code: 1 });
  expect(refused.stderr).toContain('"linux" is being deleted');
  expect(ended.json()).toMatchObject([
    { action: 'unchanged' },
    { name: 'linux', action: 'deleted' },
  ]);
  expect(await nats.readSpec()).toBeUndefined();
});

test('a file with mistakes is refused, and nothing of it is written', async () => {
  const bad = await nats.file(`${fileOf('linux')}  - { name: windows }\n`);

  const { code, stderr } = await nats.run(`apply -f ${bad}`);

  expect(code).toBe(78);
  expect(stderr).toContain('scaleSets[1].configUrl: is required');
  expect(await nats.readSpec()).toBeUndefined();
});
