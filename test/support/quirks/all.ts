/** Support: every quirk that has a fixture. */
import { aroundParts, inLetters } from "./around-parts.ts";
import { carried } from "./carried.ts";
import { containers } from "./containers.ts";
import { documents } from "./documents.ts";
import { further } from "./further.ts";
import { lost } from "./lost.ts";
import { mails } from "./mails.ts";
import { oddContainers } from "./odd-containers.ts";
import { oneAfterAnother } from "./one-after-another.ts";
import { others } from "./others.ts";
import type { Quirk } from "./quirk.ts";
import { quotedPrintable } from "./quoted-printable.ts";
import { records } from "./records.ts";
import { siblings } from "./siblings.ts";
import { structure } from "./structure.ts";
import { together } from "./together.ts";
import { told } from "./told.ts";
import { values } from "./values.ts";
import { withinTexts } from "./within-text.ts";

export const quirks: Quirk[] = [
  ...containers,
  ...mails,
  ...documents,
  ...values,
  ...records,
  ...others,
  ...lost,
  ...carried,
  ...structure,
  ...oneAfterAnother,
  ...quotedPrintable,
  ...oddContainers,
  ...told,
  ...aroundParts,
  ...inLetters,
  ...siblings,
  ...withinTexts,
  ...further,
  ...together,
];
