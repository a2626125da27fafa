import { type Dashboard, highest, inChosen, quantile, rateBy } from './dashboard.ts';

export const janitor: Dashboard = {
  uid: 'baton-janitor',
  title: 'Baton / Janitor',
  description: 'What is marked goes: deletions, sweeps, leaks.',
  rows: [
    {
      title: 'Leaks',
      panels: [
        {
          title: 'Oldest mark',
          description:
            'Age of the oldest mark that is not carried out. An alert comes above 10 min.',
          kind: 'number',
          unit: 's',
          thresholds: { warning: 120, bad: 600 },
          queries: [{ expr: 'max(baton_oldest_marked_seconds)', legend: 'oldest' }],
        },
        {
          title: 'Deregistrations owed',
          description:
            'Runners that are gone and still registered. They rise while GitHub is away.',
          kind: 'number',
          unit: 'short',
          thresholds: { warning: 1, bad: 100 },
          queries: [{ expr: 'max(baton_owed_deregistrations)', legend: 'owed' }],
        },
        {
          title: 'Sweeps that wait for an operator',
          description: 'Runners that "baton sweep confirm" is waited for.',
          kind: 'number',
          unit: 'short',
          thresholds: { bad: 1 },
          queries: [{ expr: `sum(${highest('sweep, host', 'baton_sweep_held')})`, legend: 'held' }],
        },
      ],
    },
    {
      title: 'Deletions',
      panels: [
        {
          title: 'Deleted runners',
          description: 'By the reason of their mark. Other than completed and surplus: look why.',
          kind: 'stacked',
          unit: 'ops',
          queries: [
            { expr: rateBy('reason', 'baton_deleted_runners_total'), legend: '{{reason}}' },
          ],
        },
        {
          title: 'Completed to deleted (p95)',
          description:
            'From the end of the job to the end of the instance, which costs until then.',
          unit: 's',
          queries: [
            {
              expr: quantile(0.95, 'baton_completed_to_deleted_seconds', {
                labels: 'provider',
                selector: inChosen,
              }),
              legend: '{{provider}}',
            },
          ],
        },
        {
          title: 'Time of deletes (p95)',
          description: 'How long the provider takes, by how it ended.',
          unit: 's',
          queries: [
            {
              expr: quantile(0.95, 'baton_delete_seconds', {
                labels: 'provider, outcome',
                selector: inChosen,
              }),
              legend: '{{provider}} {{outcome}}',
            },
          ],
        },
        {
          title: 'Deletes that failed',
          description: 'By the step that failed: GitHub or the provider. Each is tried again.',
          unit: 'ops',
          quiet: true,
          queries: [
            {
              expr: rateBy('provider, step', 'baton_delete_failures_total', inChosen),
              legend: '{{provider}} {{step}}',
            },
          ],
        },
        {
          title: 'Runners by state',
          description: 'Of the whole installation, as the janitors last counted them.',
          kind: 'stacked',
          unit: 'short',
          queries: [{ expr: highest('state', 'baton_runners'), legend: '{{state}}' }],
        },
      ],
    },
    {
      title: 'Sweeps',
      panels: [
        {
          title: 'Time since the last run that decided',
          description: 'Above three periods: nobody leads the sweep, or its lists cannot be had.',
          unit: 's',
          thresholds: { warning: 450, bad: 900 },
          queries: [
            {
              expr: 'min by (sweep, host) (baton_sweep_last_run_seconds)',
              legend: '{{sweep}} {{host}}',
            },
          ],
        },
        {
          title: 'Runs',
          description: 'problem: a list was missing; failed: nothing could be decided.',
          unit: 'ops',
          queries: [{ expr: rateBy('result', 'baton_sweep_runs_total'), legend: '{{result}}' }],
        },
        {
          title: 'Findings',
          description:
            'What sweeps did. In quiet times nothing: services end their runners themselves.',
          unit: 'ops',
          quiet: true,
          queries: [
            {
              expr: rateBy('sweep, action', 'baton_sweep_findings_total'),
              legend: '{{sweep}} {{action}}',
            },
          ],
        },
        {
          title: 'Held',
          description: 'Runners whose marks wait for an operator, by sweep.',
          unit: 'short',
          thresholds: { bad: 1 },
          queries: [
            { expr: highest('sweep, host', 'baton_sweep_held'), legend: '{{sweep}} {{host}}' },
          ],
        },
        {
          title: 'Left alone',
          description: 'What the last run left alone, and why.',
          kind: 'table',
          unit: 'short',
          width: 16,
          quiet: true,
          queries: [
            {
              expr: `${highest('sweep, host, reason', 'baton_sweep_left')} > 0`,
              legend: '{{sweep}} {{reason}}',
            },
          ],
        },
      ],
    },
  ],
};
