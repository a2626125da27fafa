/** What an operator can choose on a dashboard, and the metric whose label has the choices. */
export interface Variable {
  name: string;
  label: string;
  metric: string;
}

export const variables: readonly Variable[] = [
  { name: 'scale_set', label: 'Scale set', metric: 'baton_scale_set_condition' },
  { name: 'provider', label: 'Provider', metric: 'baton_create_seconds_count' },
];
