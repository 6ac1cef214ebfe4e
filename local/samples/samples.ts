/**
 * Sample mails for a first look: the same ones for the same day. Pure: time is an argument, random numbers are seeded, and nothing
 * is sent from here.
 */
import { failureMails } from "./failures.ts";
import { DAY_SECONDS, type Sample } from "./mail.ts";
import { planReports, reportMail } from "./reports.ts";
import { tlsMails } from "./tls.ts";
import { troubleMails } from "./troubles.ts";

/**
 * Builds the sample mails: reports about the days before `nowSeconds`, the newest first, and last those that make trouble
 * by what was sent before.
 *
 * @param nowSeconds seconds since 1970 UTC; only the day counts
 */
export async function buildSamples(nowSeconds: number): Promise<Sample[]> {
  const today = Math.floor(nowSeconds / DAY_SECONDS) * DAY_SECONDS;
  const reports = planReports(today);
  const aggregate = reports.map((report) => reportMail(report));
  return await Promise.all([...aggregate, ...tlsMails(today), ...failureMails(today), ...troubleMails(reports, today)]);
}
