/** The Grafana dashboard of docs/grafana: panels over the statements for Grafana. Builds an object; scripts/docs.ts writes it. */
import {
  grafanaMessages,
  grafanaOutcomes,
  grafanaResults,
  grafanaSessions,
  grafanaSources,
} from "../shared/analytics/statements.ts";

/** Uid of the provisioned data source (docs/grafana/datasource.yaml). */
export const DATA_SOURCE = { type: "vertamedia-clickhouse-datasource", uid: "dmarc-analytics" };

interface Panel {
  title: string;
  description: string;
  type: "timeseries" | "table";
  sql: string;
}

const PANELS: Panel[] = [
  {
    title: "Messages by result",
    description: "Messages that pass and fail DMARC, by the day of their reports",
    type: "timeseries",
    sql: grafanaResults(),
  },
  {
    title: "Messages by disposition",
    description: "What receivers did with them, by the day of their reports",
    type: "timeseries",
    sql: grafanaMessages(),
  },
  {
    title: "Sources with failing messages",
    description: "The twenty largest, with the domain that signed",
    type: "table",
    sql: grafanaSources(),
  },
  {
    title: "TLS sessions",
    description: "Successful and failed, by the day of their reports",
    type: "timeseries",
    sql: grafanaSessions(),
  },
  {
    title: "Outcomes",
    description: "What became of what came in, by hour",
    type: "timeseries",
    sql: grafanaOutcomes(),
  },
];

/** The dashboard as Grafana provisions it (dashboard JSON model). */
export function grafanaDashboard(): object {
  return {
    uid: "dmarc-reports",
    title: "DMARC reports",
    tags: ["dmarc"],
    timezone: "utc",
    editable: true,
    // Several panels ask at once, and Cloudflare allows 1,200 calls in five minutes: it is refreshed by hand.
    refresh: "",
    schemaVersion: 39,
    time: { from: "now-30d", to: "now" },
    annotations: { list: [] },
    templating: { list: [] },
    panels: PANELS.map(panelOf),
  };
}

function panelOf({ title, description, type, sql }: Panel, index: number): object {
  return {
    id: index + 1,
    title,
    description,
    type,
    datasource: DATA_SOURCE,
    gridPos: { h: 9, w: 12, x: (index % 2) * 12, y: Math.floor(index / 2) * 9 },
    fieldConfig: { defaults: { unit: "short", min: 0, custom: type === "timeseries" ? BARS : {} }, overrides: [] },
    options: type === "timeseries" ? LEGEND : { showHeader: true },
    targets: [
      {
        refId: "A",
        datasource: DATA_SOURCE,
        query: sql,
        editorMode: "sql",
        rawQuery: true,
        format: type === "timeseries" ? "time_series" : "table",
        dateTimeType: "DATETIME",
        extrapolate: false,
        skip_comments: true,
        intervalFactor: 1,
        round: "0s",
      },
    ],
  };
}

/** Without showLegend Grafana may show none: which bar is which would be left to the pointer. */
const LEGEND = {
  legend: { displayMode: "list", placement: "bottom", showLegend: true, calcs: [] },
  tooltip: { mode: "multi", sort: "none" },
};

const BARS = { drawStyle: "bars", fillOpacity: 60, stacking: { mode: "normal", group: "A" } };
