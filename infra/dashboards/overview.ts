import {
  chosen,
  type Dashboard,
  highest,
  inChosen,
  quantile,
  rateBy,
  spread,
} from './dashboard.ts';

const sumOver = (metric: string, selector = chosen) =>
  `sum(${highest('scale_set', metric, selector)})`;
const firing = 'ALERTS{alertname=~"Baton.+",alertstate="firing"}';

/** From left to right the way of a runner: what makes people wait stands out. */
const stages = [
  ['message to event', quantile(0.95, 'baton_message_to_event_seconds')],
  ['demand to requested', quantile(0.95, 'baton_demand_to_requested_seconds')],
  [
    'requested to created',
    quantile(0.95, 'baton_requested_to_created_seconds', { selector: inChosen }),
  ],
  ['created to online', quantile(0.95, 'baton_created_to_online_seconds', { selector: inChosen })],
  ['online to job', quantile(0.95, 'baton_online_to_job_seconds', { selector: inChosen })],
  [
    'completed to deleted',
    quantile(0.95, 'baton_completed_to_deleted_seconds', { selector: inChosen }),
  ],
] as const;

export const overview: Dashboard = {
  uid: 'baton-overview',
  title: 'Baton / Overview',
  description: 'The fleet: do jobs wait, are runners made and deleted, is anything wrong?',
  rows: [
    {
      title: 'Now',
      panels: [
        {
          title: 'Alerts',
          description: 'Alerts of Baton that fire. The runbook has an entry for each.',
          kind: 'number',
          unit: 'short',
          width: 4,
          thresholds: { bad: 1 },
          queries: [{ expr: `count(${firing}) or vector(0)`, legend: 'firing' }],
        },
        {
          title: 'Scale sets polled',
          description: 'Scale sets whose session some listener holds and polls.',
          kind: 'number',
          unit: 'short',
          width: 4,
          queries: [
            {
              expr: `count(max by (scale_set) (baton_scale_set_state{${chosen},state="polling"}))`,
              legend: 'polled',
            },
          ],
        },
        {
          title: 'Oldest poll',
          description:
            'GitHub answers a poll after 50 s at the latest. An alert comes above 180 s.',
          kind: 'number',
          unit: 's',
          width: 4,
          thresholds: { warning: 75, bad: 180 },
          queries: [
            {
              expr: `max(min by (scale_set) (baton_last_poll_age_seconds{${chosen}}))`,
              legend: 'oldest',
            },
          ],
        },
        {
          title: 'Jobs without a runner',
          description: 'For how long assigned jobs have waited without any runner taking one.',
          kind: 'number',
          unit: 's',
          width: 4,
          thresholds: { warning: 120, bad: 300 },
          queries: [
            { expr: `max(baton_unserved_assigned_age_seconds{${chosen}})`, legend: 'longest' },
          ],
        },
        {
          title: 'Jobs assigned',
          description: 'Jobs that GitHub has given to the scale sets and that have not ended.',
          kind: 'number',
          unit: 'short',
          width: 4,
          queries: [{ expr: sumOver('baton_assigned_jobs'), legend: 'assigned' }],
        },
        {
          title: 'Runners',
          description: 'Runners that have a record, ended ones that are not deleted included.',
          kind: 'number',
          unit: 'short',
          width: 4,
          queries: [{ expr: `sum(${highest('state', 'baton_runners')})`, legend: 'runners' }],
        },
      ],
    },
    {
      title: 'Jobs',
      panels: [
        {
          title: 'Queue time',
          description: 'From queued at GitHub to started: what people wait.',
          unit: 's',
          queries: spread('baton_job_queue_seconds', chosen),
        },
        {
          title: 'Jobs',
          description: 'Jobs a second that were assigned, started and completed.',
          unit: 'ops',
          queries: [{ expr: rateBy('what', 'baton_jobs_total', chosen), legend: '{{what}}' }],
        },
        {
          title: 'Results',
          description: 'How jobs ended, as GitHub says.',
          kind: 'stacked',
          unit: 'ops',
          queries: [
            {
              expr: rateBy('result', 'baton_jobs_total', `${chosen},what="completed"`),
              legend: '{{result}}',
            },
          ],
        },
      ],
    },
    {
      title: 'Runners',
      panels: [
        {
          title: 'Runners by state',
          description: 'Of all scale sets. Many in marked or deleting: deletions do not end.',
          kind: 'stacked',
          unit: 'short',
          queries: [{ expr: highest('state', 'baton_runners'), legend: '{{state}}' }],
        },
        {
          title: 'Wanted and there',
          description: 'Desired runners against what GitHub sees registered and busy.',
          unit: 'short',
          queries: [
            { expr: sumOver('baton_desired_runners'), legend: 'desired' },
            { expr: sumOver('baton_max_runners'), legend: 'most' },
            {
              expr: `sum by (state) (${highest('scale_set, state', 'baton_github_runners', chosen)})`,
              legend: '{{state}} at GitHub',
            },
          ],
        },
        {
          title: 'The way of a runner (p95)',
          description: 'How long each step takes. The slowest is what to work on.',
          unit: 's',
          queries: stages.map(([legend, expr]) => ({ expr, legend })),
        },
      ],
    },
    {
      title: 'What is wrong',
      panels: [
        {
          title: 'Alerts that fire',
          description: 'The runbook has an entry for each.',
          kind: 'table',
          unit: 'short',
          width: 12,
          quiet: true,
          queries: [
            {
              expr: `count by (alertname, severity, scale_set, provider, job, sweep) (${firing})`,
              legend: '{{alertname}}',
            },
          ],
        },
        {
          title: 'Conditions that hold',
          description: '"baton describe" has the text of each and says what to do.',
          kind: 'table',
          unit: 'short',
          width: 12,
          quiet: true,
          queries: [
            {
              expr: `${highest('scale_set, condition', 'baton_scale_set_condition', chosen)} == 1`,
              legend: '{{condition}}',
            },
          ],
        },
      ],
    },
  ],
};
