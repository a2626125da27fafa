import { z } from 'zod';
import { ProviderError, type ProviderErrorClass } from '../provider-error.ts';
import type { Ended } from './run-executable.ts';

/** What the protocol's exit codes mean; every other one but 0 is a failure that its text explains. */
export const exitCodes = { ok: 0, notFound: 30, duplicate: 31 } as const;

/** The end of what was written tells why; this much of it is kept, in characters. */
const excerptLength = 1_500;

/** Words by which clouds and the providers for them say what kind of failure it was. */
const words: readonly [RegExp, ProviderErrorClass][] = [
  [/quota|limit ?exceeded|insufficient.{0,20}capacity|no valid host|exhausted/i, 'quota'],
  [/extra.?specs?|failed to validate|schema/i, 'invalid-settings'],
  [/image.{0,60}(not found|does not exist|invalid)|no such image|InvalidAMI/i, 'image'],
  [
    /unauthori[sz]ed|forbidden|access ?denied|permission denied|authentication|credentials/i,
    'denied',
  ],
];

/** What kind of failure a text describes; `transient` when it says nothing that is known. */
export function classOfText(text: string): ProviderErrorClass {
  return words.find(([pattern]) => pattern.test(text))?.[1] ?? 'transient';
}

/** Whether a create failed because there is such an instance: not every provider uses its exit code. */
export function isDuplicate({ exitCode, stderr }: Ended): boolean {
  return exitCode === exitCodes.duplicate || (exitCode !== 0 && /already exists/i.test(stderr));
}

/** What a command that failed means, with the end of what it wrote, without any of the secrets. */
export function failureOf(
  command: string,
  { exitCode, stdout, stderr }: Ended,
  secrets: readonly string[],
): ProviderError {
  const text = excerpt(stderr.trim() === '' ? stdout : stderr, secrets);
  const how = exitCode === undefined ? 'was killed' : `ended with exit code ${exitCode}`;
  const errorClass = exitCode === exitCodes.notFound ? 'not-found' : classOfText(text);
  return new ProviderError(errorClass, `${command} ${how}: ${text || 'it said nothing'}`);
}

/** An answer that the protocol does not allow. What it asked for may have been done all the same. */
export function wrongAnswer(command: string, problem: string): ProviderError {
  return new ProviderError('transient', `${command} succeeded with a wrong answer: ${problem}`);
}

/** The end of a text, in one piece of at most 1,500 characters, without the secrets' values. */
export function excerpt(text: string, secrets: readonly string[]): string {
  let clean = text;
  for (const secret of secrets.flatMap(spellings)) clean = clean.replaceAll(secret, '[secret]');
  clean = clean.trim();
  return clean.length > excerptLength ? `…${clean.slice(-excerptLength)}` : clean;
}

/** A secret as it may stand in what a program writes; short values are words and no secrets. */
function spellings(secret: string): string[] {
  if (secret.length < 8) return [];
  const json = JSON.stringify(secret).slice(1, -1);
  return [secret, json, Buffer.from(secret).toString('base64')];
}

/** JSON that a program wrote; undefined when it is none. */
export function parseJson(text: string): { value: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return { value };
  } catch {
    return undefined;
  }
}

/** What is wrong with a value, in one line, without the value. */
export function problemsOf(error: z.ZodError): string {
  return z.prettifyError(error).replace(/\s*\n\s*/g, ' ');
}
