import {
  GraphThresholdsStyleConfigBuilder,
  GraphThresholdsStyleMode,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  type DataSourceRef,
  DatasourceVariableBuilder,
  type Dashboard as GrafanaDashboard,
  QueryVariableBuilder,
  RowBuilder,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table';
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import type { Dashboard, Panel } from './dashboard.ts';
import { type Variable, variables } from './variables.ts';

/** Of Grafana 10.4: newer ones migrate it themselves. */
const schemaVersion = 39;
// biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana puts the variable in.
const datasource: DataSourceRef = { type: 'prometheus', uid: '${datasource}' };
const colors = { good: 'green', warning: 'orange', bad: 'red' };
const heights = { row: 1, number: 4, other: 8 };

/** The dashboard as Grafana takes it, by provisioning or by hand. Pure. */
export function render(dashboard: Dashboard): GrafanaDashboard {
  const builder = new DashboardBuilder(dashboard.title)
    .uid(dashboard.uid)
    .description(dashboard.description)
    .tags(['baton', 'generated'])
    .readonly()
    .refresh('30s')
    .time({ from: 'now-3h', to: 'now' })
    .tooltip(DashboardCursorSync.Crosshair)
    .link(othersOfOurs())
    .withVariable(
      new DatasourceVariableBuilder('datasource').label('Prometheus').type('prometheus'),
    );
  const text = JSON.stringify(dashboard.rows);
  for (const variable of variables.filter(({ name }) => text.includes(`$${name}`)))
    builder.withVariable(choice(variable));
  let id = 0;
  for (const { title, panels } of dashboard.rows) {
    id += 1;
    builder.withRow(new RowBuilder(title).id(id));
    for (const panel of panels) {
      id += 1;
      builder.withPanel(draw(panel).id(id));
    }
  }
  return { ...builder.build(), schemaVersion };
}

function othersOfOurs(): DashboardLinkBuilder {
  return new DashboardLinkBuilder('Baton')
    .type(DashboardLinkType.Dashboards)
    .tags(['baton'])
    .includeVars(true)
    .keepTime(true);
}

function choice({ name, label, metric }: Variable): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .label(label)
    .datasource(datasource)
    .query(`label_values(${metric}, ${name})`)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
    .multi(true)
    .includeAll(true)
    .allValue('.*')
    .current({ text: ['All'], value: ['$__all'] });
}

function draw(panel: Panel): StatBuilder | TableBuilder | TimeseriesBuilder {
  const { kind = 'lines' } = panel;
  if (kind === 'number') return common(new StatBuilder().reduceOptions(last()), panel);
  if (kind === 'table') return common(new TableBuilder(), panel);
  const builder = new TimeseriesBuilder()
    .legend(legend())
    .tooltip(
      new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending),
    )
    .min(0)
    .fillOpacity(kind === 'stacked' ? 30 : 8)
    .stacking(
      new StackingConfigBuilder().mode(
        kind === 'stacked' ? StackingMode.Normal : StackingMode.None,
      ),
    );
  const line = new GraphThresholdsStyleConfigBuilder().mode(GraphThresholdsStyleMode.Dashed);
  return common(panel.thresholds ? builder.thresholdsStyle(line) : builder, panel);
}

function common<Builder extends StatBuilder | TableBuilder | TimeseriesBuilder>(
  builder: Builder,
  panel: Panel,
): Builder {
  const { title, description, kind, unit, width = 8, queries } = panel;
  builder
    .title(title)
    .description(description)
    .datasource(datasource)
    .unit(unit)
    .span(width)
    .height(kind === 'number' ? heights.number : heights.other)
    .thresholds(new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps(panel)));
  for (const [index, { expr, legend: legendFormat }] of queries.entries()) {
    const query = new DataqueryBuilder()
      .refId(String.fromCharCode('A'.charCodeAt(0) + index))
      .expr(expr)
      .legendFormat(legendFormat);
    builder.withTarget(
      kind === 'table' ? query.instant().format(PromQueryFormat.Table) : query.range(),
    );
  }
  return builder;
}

function steps({ thresholds }: Panel): { value: number | null; color: string }[] {
  const from = (value: number | undefined, color: string) =>
    value === undefined ? [] : [{ value, color }];
  return [
    { value: null, color: colors.good },
    ...from(thresholds?.warning, colors.warning),
    ...from(thresholds?.bad, colors.bad),
  ];
}

function last(): ReduceDataOptionsBuilder {
  return new ReduceDataOptionsBuilder().calcs(['lastNotNull']);
}

function legend(): VizLegendOptionsBuilder {
  return new VizLegendOptionsBuilder()
    .displayMode(LegendDisplayMode.Table)
    .placement(LegendPlacement.Bottom)
    .showLegend(true)
    .calcs(['lastNotNull', 'max']);
}
