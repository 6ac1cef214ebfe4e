import { describe, expect, test } from "vitest";
import { LOCAL_DEFAULTS, readLocalOptions } from "../../local/options.ts";

describe("the settings of the local stack", () => {
  test("are the defaults if nothing is given", () => {
    expect(readLocalOptions({ flags: {}, env: {} })).toEqual({ ok: true, value: LOCAL_DEFAULTS });
  });

  test("are taken from a flag first, then the environment, then the default", () => {
    const env = { DMARC_HTTP_PORT: "1001", DMARC_SMTP_PORT: "1002", DMARC_SQL_PORT: "1003", DMARC_STATE: "/from/env" };
    const flags = { http: "2001", state: "/from/flag", samples: false, watch: true };
    expect(readLocalOptions({ flags, env })).toEqual({
      ok: true,
      value: { httpPort: 2001, smtpPort: 1002, sqlPort: 1003, stateDir: "/from/flag", samples: false, watch: true },
    });
  });

  test("ignore an empty variable", () => {
    const env = { DMARC_HTTP_PORT: "", DMARC_STATE: "" };
    expect(readLocalOptions({ flags: {}, env })).toEqual({ ok: true, value: LOCAL_DEFAULTS });
  });

  test.each(["0", "65536", "80a", "-1", "1.5", "", " 80"])("refuse the port '%s' and name the flag", (http) => {
    const result = readLocalOptions({ flags: { http }, env: {} });
    expect(result).toEqual({ ok: false, error: expect.stringMatching(/^--http: '.*' is not a port/) });
  });

  test("name the variable if its value is wrong", () => {
    const result = readLocalOptions({ flags: {}, env: { DMARC_SQL_PORT: "many" } });
    expect(result).toEqual({ ok: false, error: expect.stringMatching(/^DMARC_SQL_PORT: 'many'/) });
  });

  test.each(["0", "21", "two", "-1"])("refuse %s databases", (databases) => {
    const result = readLocalOptions({ flags: { databases }, env: {} });
    expect(result).toEqual({
      ok: false,
      error: `'${databases}' is not a number of databases from 1 to 20 (--databases, DMARC_DATABASES).`,
    });
    expect(readLocalOptions({ flags: { databases: "20" }, env: {} })).toMatchObject({ value: { databases: 20 } });
  });

  test("refuse one port for two uses", () => {
    const result = readLocalOptions({ flags: { smtp: "8787" }, env: {} });
    expect(result).toEqual({ ok: false, error: expect.stringContaining("must be different") });
  });
});
