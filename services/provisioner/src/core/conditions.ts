import { type Condition, type Plan, plannedConditionTypes } from '@baton/shared/contracts';
import { backoffText } from './creation-backoff.ts';
import { ghostText } from './ghost-brake.ts';
import { muteText } from './mute-watch.ts';
import { outdatedText } from './outdated-hold.ts';
import { isoOf, type PlanResult, type Situation } from './plan-input.ts';

type Planned = (typeof plannedConditionTypes)[number];

/** A provider that cannot be asked is told when it lasts for this long, in ms. */
const problemMs = 15_000;

/** What is wrong with a scale set, and what of that begins or ends now. A new text is no new condition. */
export function nextConditions(
  situation: Situation,
  next: Plan,
): { conditions: Condition[]; changes: PlanResult['changes'] } {
  const before = situation.plan?.conditions ?? [];
  const conditions: Condition[] = [];
  const changes: PlanResult['changes'] = [];
  for (const type of plannedConditionTypes) {
    const text = textOf(type, situation, next);
    const known = before.find((condition) => condition.type === type);
    if (text !== undefined) {
      conditions.push({ type, since: known?.since ?? isoOf(situation.nowMs), text });
      if (!known) changes.push({ condition: type, text });
    } else if (known) changes.push({ condition: type });
  }
  return { conditions, changes };
}

function textOf(type: Planned, situation: Situation, next: Plan): string | undefined {
  const { spec, nowMs } = situation;
  switch (type) {
    case 'creation-failing':
      return backoffText(next.backoff, spec);
    case 'provider-failing': {
      const { problem } = next;
      const lasts = problem && nowMs - Date.parse(problem.since) >= problemMs;
      return lasts ? `${problem.text}; nothing is created until it answers` : undefined;
    }
    case 'runner-outdated':
      return outdatedText(next.outdated, spec);
    case 'ghost-demand':
      return ghostText(next.ghost);
    case 'mute':
      return muteText(next.mute, situation);
  }
}
