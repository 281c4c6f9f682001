/** The elements of S3's answers, as several services write them. */
import { expect, test } from "bun:test";
import { elementsInside, elementText, escapeXml, hasRoot } from "../../../src/backup/s3-xml.ts";

const listing = `<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
  <Contents><Key>a&amp;b&#34;&#x41;&lt;&nope;</Key><Size>1</Size></Contents>
  <Contents>
    <Key>c</Key><Size>2</Size>
  </Contents>
  <KeyCount>2</KeyCount><Empty/><Nothing></Nothing>
</ListBucketResult>`;

test("elements, their text and their entities", () => {
  const contents = elementsInside(listing, "Contents");
  expect(contents.map((one) => elementText(one, "Key"))).toEqual(['a&b"A<&nope;', "c"]);
  expect(contents.map((one) => elementText(one, "Size"))).toEqual(["1", "2"]);
  // Not what merely begins with the name.
  expect(elementText(listing, "KeyCount")).toBe("2");
  expect(elementText(listing, "Ke")).toBeUndefined();
  expect(elementText(listing, "Nothing")).toBe("");
});

test("the root, with and without a declaration", () => {
  expect(hasRoot(listing, "ListBucketResult")).toBe(true);
  expect(hasRoot("<Error><Code>a</Code></Error>", "Error")).toBe(true);
  expect(hasRoot(listing, "List")).toBe(false);
  expect(hasRoot(listing, "Contents")).toBe(false);
  expect(hasRoot("", "Error")).toBe(false);
});

test("what is written can be read", () => {
  const text = "a<b>&\"c'";
  expect(elementText(`<ETag>${escapeXml(text)}</ETag>`, "ETag")).toBe(text);
});
