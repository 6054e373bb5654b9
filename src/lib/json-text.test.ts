import { expect, it } from "vitest";
import { jsonText } from "./json-text.ts";

const BOM = Buffer.from([0xef, 0xbb, 0xbf]);
const swapped = (text: string) => Buffer.from(text, "utf16le").swap16();
const utf32 = (text: string) =>
  Buffer.concat([...text].map((one) => Buffer.from([one.charCodeAt(0), 0, 0, 0])));
const read = (bytes: Buffer): unknown => JSON.parse(jsonText(bytes));
const said = (bytes: Buffer) => {
  try {
    return read(bytes);
  } catch (error) {
    return String(error);
  }
};

it("is UTF-8, with or without one byte-order mark", () => {
  for (const text of ['{"a":"漢字 \u{1f600}"}', "[]", "1", '"\\ufeff"', " {}"]) {
    const value = JSON.parse(text);
    expect(read(Buffer.from(text))).toEqual(value);
    expect(read(Buffer.concat([BOM, Buffer.from(text)]))).toEqual(value);
  }
  // In a text it is a character like any other.
  expect(read(Buffer.from('"\ufeffx"'))).toBe("\ufeffx");
  expect(jsonText(BOM)).toBe("");
});

it("is no JSON with a second mark, or with a part of one", () => {
  for (const bytes of [
    Buffer.concat([BOM, BOM, Buffer.from("{}")]),
    Buffer.from("{\ufeff}"),
    BOM.subarray(0, 2),
  ])
    expect(said(bytes)).toContain("SyntaxError");
});

it("is said to be in another encoding, with or without a mark", () => {
  const text = '{"a":1}';
  for (const bytes of [
    Buffer.from(text, "utf16le"),
    Buffer.from(`\ufeff${text}`, "utf16le"),
    swapped(text),
    swapped(`\ufeff${text}`),
    Buffer.from("1", "utf16le"),
  ])
    expect(said(bytes)).toContain("The body is UTF-16: send it as UTF-8");
  for (const bytes of [utf32(text), utf32(`\ufeff${text}`), utf32(text).swap32()])
    expect(said(bytes)).toContain("The body is UTF-32: send it as UTF-8");
});
