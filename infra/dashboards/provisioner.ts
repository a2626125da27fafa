import {
  chosen,
  type Dashboard,
  highest,
  inChosen,
  quantile,
  rateBy,
  spread,
} from './dashboard.ts';

/** The slowest twentieth, by provider. */
const byProvider = (metric: string) => [
  {
    expr: quantile(0.95, metric, { labels: 'provider', selector: inChosen }),
    legend: '{{provider}}',
  },
];

export const provisioner: Dashboard = {
  uid: 'baton-provisioner',
  title: 'Baton / Provisioner',
  description: 'From demand to a runner that takes a job: plans, creates, providers.',
  rows: [
    {
      title: 'Plans',
      panels: [
        {
          title: 'Desired runners',
          description:
            'What each plan asks for. "baton describe" says why it is less than the demand.',
          unit: 'short',
          queries: [
            {
              expr: highest('scale_set', 'baton_desired_runners', chosen),
              legend: '{{scale_set}}',
            },
          ],
        },
        {
          title: 'Share of the most',
          description: 'Share of maxRunners that is asked for. At 100 % jobs wait for room.',
          unit: 'percentunit',
          thresholds: { warning: 0.9, bad: 1 },
          queries: [
            {
              expr: `${highest('scale_set', 'baton_desired_runners', chosen)} / ${highest('scale_set', 'baton_max_runners', chosen)}`,
              legend: '{{scale_set}}',
            },
          ],
        },
        {
          title: 'Least and most',
          description: 'minRunners and maxRunners, as they are declared.',
          unit: 'short',
          queries: [
            {
              expr: highest('scale_set', 'baton_min_runners', chosen),
              legend: '{{scale_set}} least',
            },
            {
              expr: highest('scale_set', 'baton_max_runners', chosen),
              legend: '{{scale_set}} most',
            },
          ],
        },
      ],
    },
    {
      title: 'Creates',
      panels: [
        {
          title: 'Creates',
          description: 'Creates a second, by provider and how they ended.',
          unit: 'ops',
          queries: [
            {
              expr: rateBy('provider, outcome', 'baton_create_seconds_count', inChosen),
              legend: '{{provider}} {{outcome}}',
            },
          ],
        },
        {
          title: 'Time of creates (p95)',
          description: 'How long the provider takes, by how it ended.',
          unit: 's',
          queries: [
            {
              expr: quantile(0.95, 'baton_create_seconds', {
                labels: 'provider, outcome',
                selector: inChosen,
              }),
              legend: '{{provider}} {{outcome}}',
            },
          ],
        },
        {
          title: 'Creates that failed',
          description:
            'By class. Those of one scale set are its image or size; those of all, the provider.',
          unit: 'ops',
          quiet: true,
          queries: [
            {
              expr: rateBy(
                'scale_set, provider, class',
                'baton_create_failures_total',
                `${chosen},${inChosen}`,
              ),
              legend: '{{scale_set}} {{provider}} {{class}}',
            },
          ],
        },
        {
          title: 'Breakers that are open',
          description:
            '1: nothing is created in the provider but one create at a time that tries it.',
          unit: 'short',
          thresholds: { bad: 1 },
          queries: [
            { expr: highest('provider', 'baton_breaker_open', inChosen), legend: '{{provider}}' },
          ],
        },
        {
          title: 'Room',
          description: 'Instances that each provider said it has room for. At 0 creates wait.',
          unit: 'short',
          queries: [
            {
              expr: `min by (provider) (baton_provider_free_instances{${inChosen}})`,
              legend: '{{provider}}',
            },
          ],
        },
        {
          title: 'Conditions',
          description: 'Scale sets for which a condition holds.',
          kind: 'stacked',
          unit: 'short',
          queries: [
            {
              expr: `sum by (condition) (${highest('scale_set, condition', 'baton_scale_set_condition', chosen)})`,
              legend: '{{condition}}',
            },
          ],
        },
        {
          title: 'Observations',
          description:
            'What was learned of runners. Many that are refused: something is told twice.',
          unit: 'ops',
          queries: [
            { expr: rateBy('result', 'baton_runner_observations_total'), legend: '{{result}}' },
          ],
        },
      ],
    },
    {
      title: 'The way of a runner',
      panels: [
        {
          title: 'Demand to requested',
          description: 'From the answer of the poll to the plan that names the runner.',
          unit: 's',
          queries: spread('baton_demand_to_requested_seconds'),
        },
        {
          title: 'Requested to created (p95)',
          description: 'Registration at GitHub and the provider. Grows when creates queue.',
          unit: 's',
          queries: byProvider('baton_requested_to_created_seconds'),
        },
        {
          title: 'Created to online (p95)',
          description: 'Boot of the instance, until GitHub sees its runner.',
          unit: 's',
          queries: byProvider('baton_created_to_online_seconds'),
        },
        {
          title: 'Online to job (p95)',
          description: 'Runners that wait for a job: spare ones wait long, and should.',
          unit: 's',
          queries: byProvider('baton_online_to_job_seconds'),
        },
        {
          title: 'Jobs',
          description: 'How long jobs run.',
          unit: 's',
          queries: spread('baton_job_seconds', chosen),
        },
      ],
    },
  ],
};
