/** What a page's function returns: its content, and its tables for exports. Types only. */
import type { PageContent } from "./layout.tsx";
import type { BoundTable } from "./table-view.tsx";

export interface PageResult {
  content: PageContent;
  tables: BoundTable[];
}
