import { describe, expect, test } from "vitest";
import { LOCAL_DEFAULTS, readLocalOptions } from "../../local/options.ts";

describe("settings of the local stack", () => {
  test("without anything given they are the defaults", () => {
    expect(readLocalOptions({ flags: {}, env: {} })).toEqual({ ok: true, value: LOCAL_DEFAULTS });
  });

  test("the environment beats the default, a flag beats the environment", () => {
    const env = { DMARC_HTTP_PORT: "1001", DMARC_SMTP_PORT: "1002", DMARC_SQL_PORT: "1003", DMARC_STATE: "/from/env" };
    const flags = { http: "2001", state: "/from/flag", samples: false, watch: true };
    expect(readLocalOptions({ flags, env })).toEqual({
      ok: true,
      value: { httpPort: 2001, smtpPort: 1002, sqlPort: 1003, stateDir: "/from/flag", samples: false, watch: true },
    });
  });

  test("an empty variable counts as not given", () => {
    const env = { DMARC_HTTP_PORT: "", DMARC_STATE: "" };
    expect(readLocalOptions({ flags: {}, env })).toEqual({ ok: true, value: LOCAL_DEFAULTS });
  });

  test.each(["0", "65536", "80a", "-1", "1.5", "", " 80"])(
    "'%s' is no port, and the message names the flag",
    (http) => {
      const result = readLocalOptions({ flags: { http }, env: {} });
      expect(result).toEqual({ ok: false, error: expect.stringMatching(/^--http: '.*' is not a port/) });
    },
  );

  test("a wrong variable is named as the variable", () => {
    const result = readLocalOptions({ flags: {}, env: { DMARC_SQL_PORT: "many" } });
    expect(result).toEqual({ ok: false, error: expect.stringMatching(/^DMARC_SQL_PORT: 'many'/) });
  });

  test("one port cannot serve two things", () => {
    const result = readLocalOptions({ flags: { smtp: "8787" }, env: {} });
    expect(result).toEqual({ ok: false, error: expect.stringContaining("must be different") });
  });
});
