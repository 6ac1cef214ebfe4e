/** Support: every quirk that has a fixture. */
import { aroundParts, inBodyTexts } from "./around-parts.ts";
import { carried } from "./carried.ts";
import { containers } from "./containers.ts";
import { documents } from "./documents.ts";
import { habits } from "./habits.ts";
import { mails } from "./mails.ts";
import { noticesAndDates } from "./notices-and-dates.ts";
import { oddContainers } from "./odd-containers.ts";
import { oneAfterAnother } from "./one-after-another.ts";
import { otherParts } from "./other-parts.ts";
import type { Quirk } from "./quirk.ts";
import { quotedPrintable } from "./quoted-printable.ts";
import { records } from "./records.ts";
import { siblings } from "./siblings.ts";
import { structure } from "./structure.ts";
import { tlsAndFailure } from "./tls-and-failure.ts";
import { together } from "./together.ts";
import { values } from "./values.ts";
import { warnedOf } from "./warned-of.ts";
import { withinTexts } from "./within-text.ts";

export const quirks: Quirk[] = [
  ...containers,
  ...mails,
  ...documents,
  ...values,
  ...records,
  ...tlsAndFailure,
  ...otherParts,
  ...carried,
  ...structure,
  ...oneAfterAnother,
  ...quotedPrintable,
  ...oddContainers,
  ...warnedOf,
  ...aroundParts,
  ...inBodyTexts,
  ...siblings,
  ...withinTexts,
  ...noticesAndDates,
  ...together,
  ...habits,
];
