import type { SweepFinding } from '@baton/shared/contracts';
import type { Context } from './context.ts';
import { shorten } from './core/dead-view.ts';
import { evidenceText, leftText, type SweepRunView } from './core/sweep-view.ts';

const shownText = 120;

/** One line for each part, and under it what was found. */
export function renderSweepRuns(views: readonly SweepRunView[], context: Context): string {
  return views
    .filter(({ failure }) => failure === null)
    .map((view) => renderRun(view, context))
    .join('\n');
}

function renderRun(view: SweepRunView, { clock }: Context): string {
  const { sweep, host, findings, found, hold, problem } = view;
  const lines = [headline(view)];
  if (problem !== null) lines.push(`  could not be looked at: ${problem}`);
  const confirm = `baton sweep confirm ${sweep}${host === null ? '' : ` --host ${host}`}`;
  if (hold) lines.push(`  held until "${confirm}": ${hold.text}`);
  if (findings.length < found)
    lines.push(`  ${found - findings.length} more than fit into an answer`);
  const text = `${lines.join('\n')}\n`;
  const nowMs = clock.now();
  return `${text}${findings.map((finding) => renderFinding(finding, view.dryRun, nowMs)).join('')}`;
}

/** A line each for what, why, and what was looked at: one would be too wide for a terminal. */
function renderFinding(finding: SweepFinding, dryRun: boolean, nowMs: number): string {
  const { runnerName, text, evidence } = finding;
  const lines = [
    `  ${actionText(finding, dryRun)} ${runnerName}`,
    `      ${shorten(text, shownText)}`,
    ...(evidence ? [`      ${evidenceText(evidence, nowMs)}`] : []),
  ];
  return `${lines.join('\n')}\n`;
}

function headline({ sweep, host, janitor, lookedAt, found, left, dryRun }: SweepRunView): string {
  const where = host === null ? '' : ` on ${host}`;
  const rest = Object.keys(left).length > 0 ? `; left alone: ${leftText(left)}` : '';
  const did = dryRun ? 'would act on' : 'acted on';
  const count = found - (left.held ?? 0);
  return `${sweep}${where} (${janitor ?? '-'}): looked at ${lookedAt ?? 0}, ${did} ${count}${rest}`;
}

function actionText({ action, held }: SweepFinding, dryRun: boolean): string {
  if (held !== true) return action;
  return dryRun ? `${action} (would be held)` : `${action} (held)`;
}
