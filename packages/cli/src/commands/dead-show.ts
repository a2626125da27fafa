import type { StoredLetter } from '@baton/shared/messaging';
import type { Command } from 'commander';
import { stringify } from 'yaml';
import { type Context, type OutputFormat, outputOption, writeResult } from '../context.ts';
import { type DeadDetails, deadView, prettyBody } from '../core/dead-view.ts';
import { findLetter, letterId, withDeadLetters } from '../dead-letters.ts';

interface ShowOptions {
  raw?: boolean;
  output: OutputFormat;
}

export function registerDeadShow(dead: Command, context: Context): void {
  dead
    .command('show')
    .description('all there is about one dead letter, with its whole body')
    .argument('<id>', 'its id', letterId)
    .option('--raw', 'the body alone, byte for byte')
    .addOption(outputOption())
    .action(async (id: number, { raw, output }: ShowOptions) => {
      const details = await withDeadLetters(context, async (scope) =>
        detailsOf(await findLetter(scope, id), scope.names),
      );
      if (raw) context.stdout.write(details.body);
      else writeResult(context, output, details, () => detailsText(details, context));
    });
}

function detailsOf(letter: StoredLetter, names: ReadonlyMap<string, string>): DeadDetails {
  return { ...deadView(letter, names), origin: letter.origin ?? null, body: letter.body };
}

function detailsText({ body, ...rest }: DeadDetails, { colors }: Context): string {
  const known = Object.entries(rest).filter(
    ([, value]) => value !== null && !(Array.isArray(value) && value.length === 0),
  );
  const head = prettyBody(stringify(Object.fromEntries(known)));
  return `${head}\n${colors().bold('Body')}\n${prettyBody(body)}\n`;
}
