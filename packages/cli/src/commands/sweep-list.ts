import type { Command } from 'commander';
import { type Context, type OutputFormat, outputOption, writeResult } from '../context.ts';
import { formatDuration } from '../core/duration.ts';
import { leftText, type SweepView } from '../core/sweep-view.ts';
import { renderOptions, renderTable } from '../render-table.ts';
import { readSweeps, withSweeps } from '../sweeps.ts';

/** Of `baton sweep list`, and of `baton get sweeps`, which is the same. */
export function registerSweepList(list: Command, context: Context): void {
  list
    .description('sweeps: who leads each, what its last run did, and what is held')
    .addOption(outputOption())
    .action(async ({ output }: { output: OutputFormat }) => {
      const views = await withSweeps(context, readSweeps);
      writeResult(context, output, views, () =>
        renderTable(columns, views, renderOptions(context)),
      );
    });
}

const columns = [
  { heading: 'SWEEP', cell: ({ sweep }: SweepView) => sweep },
  { heading: 'HOST', cell: ({ host }: SweepView) => host },
  { heading: 'LEADER', cell: ({ leader }: SweepView) => leader },
  { heading: 'LAST-RUN', cell: ({ lastRunAt }: SweepView, nowMs: number) => ago(lastRunAt, nowMs) },
  { heading: 'LOOKED-AT', cell: ({ lookedAt }: SweepView) => lookedAt },
  { heading: 'ACTED', cell: ({ acted }: SweepView) => acted },
  { heading: 'HELD', cell: ({ hold }: SweepView) => hold?.count ?? null },
  { heading: 'LEFT', cell: ({ left }: SweepView) => leftText(left) },
  { heading: 'PROBLEM', cell: ({ problem }: SweepView) => problem },
];

function ago(at: string | null, nowMs: number): string | null {
  return at === null ? null : `${formatDuration(nowMs - Date.parse(at))} ago`;
}
