/** What a page's function returns: its content, and its tables for exports. Types only. */
import type { PageContent } from "./layout.tsx";
import type { BoundTable } from "./table-view.tsx";

export interface PageResult {
  content: PageContent;
  tables: BoundTable[];
  /** Of the answer to a form: it was done, or asks. Absent = 422, it was not done. */
  status?: 200;
}
