/** An address that mail came from, as a link to its page. A report may name none, or one that is none. */
import { addressPath } from "../paths.ts";
import { Name } from "./foreign-text.tsx";
import { linkTo } from "./links.ts";
import type { PageRequest } from "./page-request.ts";

/** @param address "" where the report names none */
export function AddressLink({ request, domain, address }: { request: PageRequest; domain: string; address: string }) {
  if (address === "") return <>none given</>;
  return (
    <a href={linkTo(request, addressPath(domain, address))}>
      <Name text={address} />
    </a>
  );
}
