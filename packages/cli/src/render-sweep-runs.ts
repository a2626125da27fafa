import type { SweepFinding } from '@baton/shared/contracts';
import type { Context } from './context.ts';
import { shorten } from './core/dead-view.ts';
import { evidenceText, leftText, type SweepRunView } from './core/sweep-view.ts';
import { renderTable } from './render-table.ts';

const shownText = 120;

/** One line for each part, and under it what was found. */
export function renderSweepRuns(views: readonly SweepRunView[], context: Context): string {
  return views
    .filter(({ failure }) => failure === null)
    .map((view) => renderRun(view, context))
    .join('\n');
}

function renderRun(view: SweepRunView, { clock, colors }: Context): string {
  const { findings, found, hold, problem } = view;
  const lines = [headline(view)];
  if (problem !== null) lines.push(`  could not be looked at: ${problem}`);
  if (hold) lines.push(`  held until "baton sweep confirm": ${hold.text}`);
  if (findings.length < found)
    lines.push(`  ${found - findings.length} more than fit into an answer`);
  const text = `${lines.join('\n')}\n`;
  if (findings.length === 0) return text;
  return `${text}${renderTable(columnsOf(view.dryRun), findings, { colors: colors(), nowMs: clock.now() })}`;
}

function headline({ sweep, host, janitor, lookedAt, found, left, dryRun }: SweepRunView): string {
  const where = host === null ? '' : ` on ${host}`;
  const rest = Object.keys(left).length > 0 ? `; left alone: ${leftText(left)}` : '';
  const did = dryRun ? 'would act on' : 'acted on';
  const count = found - (left.held ?? 0);
  return `${sweep}${where} (${janitor ?? '-'}): looked at ${lookedAt ?? 0}, ${did} ${count}${rest}`;
}

function columnsOf(dryRun: boolean) {
  return [
    { heading: 'ACTION', cell: (finding: SweepFinding) => actionText(finding, dryRun) },
    { heading: 'RUNNER', cell: ({ runnerName }: SweepFinding) => runnerName },
    { heading: 'WHY', cell: ({ text }: SweepFinding) => shorten(text, shownText) },
    {
      heading: 'EVIDENCE',
      cell: ({ evidence }: SweepFinding, nowMs: number) => evidenceText(evidence, nowMs),
    },
  ];
}

function actionText({ action, held }: SweepFinding, dryRun: boolean): string {
  if (held !== true) return action;
  return dryRun ? `${action} (would be held)` : `${action} (held)`;
}
