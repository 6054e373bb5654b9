import { expect, it } from "vitest";
import { jsonText, parseJson } from "./json-text.ts";

const BOM = Buffer.from([0xef, 0xbb, 0xbf]);
const swapped = (text: string) => Buffer.from(text, "utf16le").swap16();
const utf32 = (text: string) =>
  Buffer.concat([...text].map((one) => Buffer.from([one.charCodeAt(0), 0, 0, 0])));
const said = (bytes: Buffer) => {
  try {
    return parseJson(bytes);
  } catch (error) {
    return String(error);
  }
};

it("is UTF-8, with or without one byte-order mark", () => {
  for (const text of ['{"a":"漢字 \u{1f600}"}', "[]", "1", '"\\ufeff"', " {}"]) {
    const value = JSON.parse(text);
    expect(parseJson(Buffer.from(text))).toEqual(value);
    expect(parseJson(Buffer.concat([BOM, Buffer.from(text)]))).toEqual(value);
  }
  // In a text it is a character like any other.
  expect(parseJson(Buffer.from('"\ufeffx"'))).toBe("\ufeffx");
  expect(jsonText(BOM)).toBe("");
});

it("is said not to be JSON where it is not, and to be missing where it is", () => {
  expect(said(Buffer.concat([BOM, BOM, Buffer.from("{}")]))).toContain("not JSON");
  expect(said(Buffer.from("{\ufeff}"))).toContain("not JSON");
  expect(said(BOM.subarray(0, 2))).toContain("not JSON");
  for (const nothing of [Buffer.alloc(0), BOM]) expect(said(nothing)).toContain("There is no body");
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
