import type { Command } from 'commander';
import { type AppliedScaleSet, applyScaleSets } from '../apply-scale-sets.ts';
import {
  type Colors,
  type Context,
  type OutputFormat,
  outputOption,
  writeResult,
} from '../context.ts';
import { loadScaleSets } from '../load-scale-sets.ts';
import { withStores } from '../stores.ts';

interface ApplyOptions {
  file: string;
  prune?: boolean;
  dryRun?: boolean;
  output: OutputFormat;
}

export function registerApply(program: Command, context: Context): void {
  program
    .command('apply')
    .description('make the scale sets what a file says')
    .requiredOption('-f, --file <path>', 'scale-set file, YAML or JSON')
    .option('--prune', 'delete the scale sets that the file does not name')
    .option('--dry-run', 'only say what would be done')
    .addOption(outputOption())
    .action(async ({ file, prune = false, dryRun = false, output }: ApplyOptions) => {
      const declared = loadScaleSets(file);
      const results = await withStores(
        context,
        async (stores) => await applyScaleSets(stores, declared, { prune, dryRun }),
      );
      writeResult(context, output, results, () =>
        results.map((result) => resultText(result, dryRun, context.colors())).join(''),
      );
    });
}

function resultText(
  { name, action, fields }: AppliedScaleSet,
  dryRun: boolean,
  colors: Colors,
): string {
  const color = action === 'unchanged' ? colors.dim : colors.green;
  const what = fields.length > 0 ? ` (${fields.join(', ')})` : '';
  const wait = action === 'deleting' ? `; "baton delete scaleset ${name}" waits for the end` : '';
  return `scale set "${name}" ${color(action)}${what}${wait}${dryRun ? ' (dry run)' : ''}\n`;
}
