import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { SealingKeys } from './sealing-keys.ts';

const key = (id: string) => `${id}:${randomBytes(32).toString('base64')}`;
const [old, current] = [key('old'), key('new')];

describe('SealingKeys', () => {
  test('opens what it sealed, whatever it is', () => {
    const keys = SealingKeys.parse(current);

    for (const text of ['', 'hunter2', '{"a":"ä€𝄞"}', '\0\n', 'x'.repeat(100_000)]) {
      expect(keys.open(keys.seal(text, 'a context'), 'a context')).toBe(text);
    }
  });

  test('shows nothing of what it sealed, and never the same twice', () => {
    const keys = SealingKeys.parse(current);

    const [one, other] = [keys.seal('hunter2', 'a'), keys.seal('hunter2', 'a')];

    expect(one.box).not.toBe(other.box);
    expect(Buffer.from(one.box, 'base64').toString('latin1')).not.toContain('hunter2');
  });

  test('opens nothing in another context', () => {
    const keys = SealingKeys.parse(current);
    const sealed = keys.seal('hunter2', 'runner-1');

    expect(() => keys.open(sealed, 'runner-2')).toThrow('does not open here');
  });

  test('opens nothing that was changed, or cut short', () => {
    const keys = SealingKeys.parse(current);
    const sealed = keys.seal('hunter2', 'a');
    const bytes = Buffer.from(sealed.box, 'base64');

    for (const at of bytes.keys()) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      const box = changed.toString('base64');
      expect(() => keys.open({ ...sealed, box }, 'a')).toThrow('does not open here');
      const cut = bytes.subarray(0, at).toString('base64');
      expect(() => keys.open({ ...sealed, box: cut }, 'a')).toThrow('does not open here');
    }
  });

  test('a new key in front seals; the old one still opens until it is taken away', () => {
    const sealed = SealingKeys.parse(old).seal('hunter2', 'a');
    const rotated = SealingKeys.parse(`${current}\n${old}`);

    expect(rotated.open(sealed, 'a')).toBe('hunter2');
    expect(rotated.seal('hunter2', 'a').keyId).toBe('new');
    expect(() => SealingKeys.parse(current).open(sealed, 'a')).toThrow(
      'the sealing key old is not configured',
    );
  });

  test('has another key for each purpose and each id', () => {
    const keys = SealingKeys.parse(`${current},${old}`);
    const derived = [
      keys.derive('new', 'seal'),
      keys.derive('new', 'sign'),
      keys.derive('old', 'seal'),
    ];

    expect(new Set(derived.map((each) => each.toString('hex'))).size).toBe(3);
  });

  test.each([
    ['', 'there is no sealing key'],
    ['hunter2hunter2', 'entry 1 of the sealing keys is not of the form ID:KEY'],
    [`${current} two:c2hvcnQ=`, 'entry 2'],
    [`${current} ${current}`, 'has the id new, which another one has already'],
  ])('refuses %j with what to do', (text, problem) => {
    const parse = () => SealingKeys.parse(text);

    expect(parse).toThrow(problem);
    expect(parse).toThrow('openssl rand -base64 32');
    expect(parse).not.toThrow('hunter2');
  });
});
