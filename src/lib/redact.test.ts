import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SEED } from "../../test/support/random.ts";
import { redact, redactText, redactTexts, registerSecrets, secretsIn } from "./redact.ts";

const SECRET = "hunter2-S3cr3t";

describe("redacting text", () => {
  it.each([
    `Authorization: Bearer ${SECRET}`,
    `Authorization: Basic ${Buffer.from(`ada:${SECRET}`).toString("base64")}`,
    `token awoooi_${"a1B2".repeat(8)} was used`,
    `postgresql://awoooi:${SECRET}@db.example/awoooi`,
    `redis://:${SECRET}@cache:6379`,
    `amqp://ada:${SECRET}@p@ss@mq`,
    `password=${SECRET}`,
    `password: "${SECRET}"`,
    `{"password":"${SECRET}"}`,
    `DB_PASSWORD=${SECRET}`,
    `access_token=${SECRET}&x=1`,
    `client_secret = ${SECRET}`,
    `AWS_SECRET_ACCESS_KEY=${SECRET}`,
    `X-Api-Key: ${SECRET}`,
    `-----BEGIN RSA PRIVATE KEY-----\n${SECRET}\n-----END RSA PRIVATE KEY-----`,
    `-----BEGIN PRIVATE KEY-----\n${SECRET}`,
  ])("takes the credential out of %s", (text) => {
    const redacted = redactText(text);
    expect(redacted).toContain("[redacted]");
    expect(redacted).not.toContain(SECRET);
    expect(redacted).not.toContain(Buffer.from(`ada:${SECRET}`).toString("base64"));
    expect(redacted).not.toMatch(/p@ss|(a1B2){8}/);
  });

  it.each([
    "the token expired",
    "http://prometheus.example:9090/graph?g0.expr=up",
    "10.0.0.1:8080 is down",
    "mail ada@example.com",
  ])("leaves %s alone", (text) => {
    expect(redactText(text)).toBe(text);
  });

  it("takes long text of any kind in its stride", () => {
    // Quadratic patterns would take minutes for these, far beyond the test's own limit.
    for (const part of [
      "y",
      "token_",
      "a-",
      "password ",
      "eyJ-",
      "--token ",
      "Authorization: ",
      "://",
      "a://b:",
      "Bearer ",
      "-----BEGIN ",
      "=",
      " ",
    ]) {
      redactText(part.repeat(Math.ceil((1024 * 1024) / part.length)));
    }
  });
});

describe("redacting JSON", () => {
  it("takes whole values under secret keys, at any depth, and keeps the rest", () => {
    expect(
      redact({
        name: "web",
        required_signatures: 2,
        headers: { Authorization: SECRET, "X-Signature-256": SECRET, accept: "json" },
        list: [{ apiKey: SECRET }, { nested: { private_key: { pem: SECRET } } }],
        password: null,
        note: `password=${SECRET}`,
      }),
    ).toEqual({
      name: "web",
      required_signatures: 2,
      headers: { Authorization: "[redacted]", "X-Signature-256": "[redacted]", accept: "json" },
      list: [{ apiKey: "[redacted]" }, { nested: { private_key: "[redacted]" } }],
      password: null,
      note: "password=[redacted]",
    });
  });

  it("never lets a secret under such a key through, whatever is around it", () => {
    const key = fc.constantFrom("password", "Token", "api_key", "clientSecret", "Cookie", "private-key");
    fc.assert(
      fc.property(fc.jsonValue(), key, (value, name) => {
        const redacted = redact({ a: [value, { [name]: SECRET, deep: { [name]: [SECRET] } }] });
        expect(JSON.stringify(redacted)).not.toContain(SECRET);
      }),
      { seed: SEED },
    );
  });

  it("ends for what has no end, and does not change its input", () => {
    const circular: Record<string, unknown> = { password: SECRET };
    circular.self = circular;
    expect(JSON.stringify(redact(circular))).toContain("[too deep]");
    expect(circular.password).toBe(SECRET);
  });
});

describe("redacting by form", () => {
  it.each([
    `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEifQ.${"s".repeat(43)}`,
    "AKIAIOSFODNN7EXAMPLE",
    `ghp_${"a1".repeat(18)}`,
    `github_pat_${"a1".repeat(18)}`,
    `glpat-${"a1".repeat(10)}`,
    "xoxb-123456789012-abcdefghij",
    `AIza${"a1".repeat(18)}`,
    `sk_live_${"a1".repeat(12)}`,
  ])("knows %s for what it is", (token) => {
    expect(redactText(`it said ${token}, and went`)).toBe("it said [redacted], and went");
  });

  it.each([
    [`curl --password ${SECRET} http://x`, "curl --password [redacted] http://x"],
    [`https://${"t0k".repeat(8)}@git.example/a.git`, "https://[redacted]@git.example/a.git"],
    [`Authorization: ApiKey ${SECRET}`, "Authorization: [redacted]"],
    [`Authorization: Bearer TOKEN${SECRET}`, "Authorization:[redacted]"],
  ])("takes the credential out of %s", (text, redacted) => {
    expect(redactText(text)).toBe(redacted);
  });
});

it("leaves alone how a caller is told to authenticate", () => {
  const hint = "send `Authorization: Bearer TOKEN` (intake.bearer_tokens)";
  expect(redactText(hint)).toBe(hint);
});

describe("secrets that are known", () => {
  const config = {
    server: { host: "127.0.0.1", port: 8000 },
    admin_token: "an-admin-token-of-quite-some-length",
    database: { url: "postgresql://awoooi:p%40ss-W0rd@db/awoooi" },
    intake: { bearer_tokens: ["bearer-of-the-webhook"], basic: [{ username: "am", password: "b4sic-pass" }] },
    processes: [
      { name: "shop", env: { SHOP_API_KEY: "k3y-of-the-shop", PORT: "8080", PASSWORD: "postgres" } },
    ],
    approval: { required_signatures: { low: 1 } },
  };
  const secrets = [
    "an-admin-token-of-quite-some-length",
    "p%40ss-W0rd",
    "p@ss-W0rd",
    "bearer-of-the-webhook",
    "b4sic-pass",
    "k3y-of-the-shop",
    "postgres",
  ];

  it("are found in a configuration by their names, and in its URLs", () => {
    expect([...secretsIn(config)]).toEqual(secrets);
  });

  it("are taken out wherever they are, but for words that anyone would use", () => {
    registerSecrets(secretsIn(config));
    for (const secret of secrets.slice(0, -1)) expect(redactText(`no ${secret}!`)).toBe("no [redacted]!");
    expect(redactText("postgres is down")).toBe("postgres is down");
    expect(redactTexts({ token: "DEC-1", text: ["k3y-of-the-shop"] })).toEqual({
      token: "DEC-1",
      text: ["[redacted]"],
    });
  });
});
