/** A source that is to be let in by SPF, as typed: addresses and networks, or one known service. */
import { domainName } from "../shared/domain-name.ts";
import { knownService, serviceNamed } from "../shared/guidance/known-services.ts";
import { networkHolds } from "../shared/guidance/networks.ts";
import type { SpfSender } from "../shared/guidance/spf-advice.ts";
import { CommandError } from "./command-error.ts";
import { safeText } from "./terminal.ts";

/**
 * Reads a source.
 *
 * @param typed addresses and networks, or the name or a domain of one service
 * @param returnPaths domains of its return path; undefined: that of the From header
 * @throws CommandError that names what is neither
 */
export function readSpfSender(typed: readonly string[], returnPaths: readonly string[] | undefined): SpfSender {
  const [first = ""] = typed;
  const service = typed.length === 1 ? (serviceNamed(first) ?? knownService(domainName(first))) : undefined;
  const sender = { returnPaths, isForwarder: false };
  if (service !== undefined) return { ...sender, name: service, networks: [], service };
  for (const one of typed) {
    const length = /\/(\d{1,3})$/.exec(one)?.[1];
    const isNetwork =
      networkHolds(one, one) && (length === undefined || Number(length) <= (one.includes(":") ? 128 : 32));
    if (!isNetwork)
      throw new CommandError(`'${safeText(one)}' is no address, no network and no service that is known.`);
  }
  return { ...sender, name: typed.join(", "), networks: typed, service: "" };
}
