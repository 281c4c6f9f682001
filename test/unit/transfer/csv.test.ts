/** Documents as CSV: columns, cells, places of what is wrong, and that what is written reads as it was. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { columnNames, columnText } from "../../../src/transfer/csv-columns.ts";
import { CsvReader, type CsvReading } from "../../../src/transfer/csv-reader.ts";
import { CsvWriter } from "../../../src/transfer/csv-writer.ts";
import { document, readAll, shown } from "./support.ts";

const USUAL: CsvReading = { prefix: Buffer.alloc(0), keyColumn: undefined, isText: false };

function read(text: string | Uint8Array, options: Partial<CsvReading> = {}, size?: number) {
  return readAll(new CsvReader({ ...USUAL, ...options }), text, size).map(shown);
}

function written(
  documents: readonly (readonly [string, unknown])[],
  columns?: string[][],
  isBare = false,
) {
  const writer = new CsvWriter({ columns, isBare });
  const parts = documents.map(([key, value]) => writer.add(document(key, value)));
  const head = writer.begin();
  // `begin` is what comes first; without named columns it is empty.
  return { text: head + parts.join("") + writer.finish(), writer };
}

describe("reading", () => {
  test("cells are JSON where they look like it, dots nest, empty ones are left out", () => {
    const text = 'key,a,b.c,b.d,e\n1,1.50,true,null,"[1,{""x"":2}]"\n2,007,,text,\n3,,,,\n';
    expect(read(text)).toEqual([
      '2#1: 1 = json {"a":1.50,"b":{"c":true,"d":null},"e":[1,{"x":2}]}',
      '3#2: 2 = json {"a":"007","b":{"d":"text"}}',
      "4#3: 3 = json {}",
    ]);
  });

  test("as text they stay text; another column for the key stays a field; a prefix comes before it", () => {
    const options = { isText: true, keyColumn: "id", prefix: Buffer.from("u:") };
    expect(read("id,n\n7,1\n", options)).toEqual(['2#1: u:7 = json {"id":"7","n":"1"}']);
    expect(read("id,n\n7,1\n", { keyColumn: "id" })).toEqual(['2#1: 7 = json {"id":7,"n":1}']);
  });

  test.each([1, 3, 1000])("lines are counted as editors do, in chunks of %d bytes", (size) => {
    const text =
      '\ufeffkey,a\r\n\r\nk1,"two\r\nlines"\r\n\r\nk2,"a ""b"""\r\nk3\r\nk4,"three\n\n"\nk5,1,2\nk6,last';
    expect(read(text, {}, size)).toEqual([
      '3#1: k1 = json {"a":"two\\r\\nlines"}',
      '6#2: k2 = json {"a":"a \\"b\\""}',
      "7#3 expected 2 cells, found 1",
      '8#4: k4 = json {"a":"three\\n\\n"}',
      "11#5 expected 2 cells, found 3",
      '12#6: k6 = json {"a":"last"}',
    ]);
  });

  test("a quote in the wrong place costs its own line alone", () => {
    const items = read('key,a\n1,x"y\n2,b\n3,"c"d\n4,e\n5,"open\n6,f\n');
    expect(items.map((item) => item.replace(/ a quote.*| expected.*/, " wrong"))).toEqual([
      ...["2#1 wrong", '3#2: 2 = json {"a":"b"}', "4#3 wrong", '5#4: 4 = json {"a":"e"}'],
      ...["6#5 wrong", '7#6: 6 = json {"a":"f"}'],
    ]);
  });

  test("and what it took in is read again, with what follows", () => {
    const items = read('key,a\n1,y"\n2,b\n\n3,"two\nlines"\n4,c\n');
    expect(items.map((item) => item.replace(/ a quote.*/, " wrong"))).toEqual([
      ...["2#1 wrong", '3#2: 2 = json {"a":"b"}'],
      ...['5#3: 3 = json {"a":"two\\nlines"}', '7#4: 4 = json {"a":"c"}'],
    ]);
  });

  test("bytes that are no UTF-8 cost their record", () => {
    const bytes = Buffer.concat([
      Buffer.from("key,a\n1,"),
      Buffer.from([0xff]),
      Buffer.from("\n2,b"),
    ]);
    expect(read(bytes)).toEqual(["2#1 not UTF-8", '3#2: 2 = json {"a":"b"}']);
  });

  test.each([
    ["", "1 expected a header"],
    [
      "a,b\n1,2\n",
      '1 the header: there is no column "key" for the key; --key names another column',
    ],
    ["key,a,a\n", '1 the header: the column "a" comes twice'],
    ['key,a.b,"a.""b"""\n', '1 the header: the field "a.b" comes twice'],
    ["key,a\n,1\n", "2#1 the cell of the key is empty"],
    ["key,a,a.b\nk,1,2\n", '2#1 the field "a" is a value and an object'],
  ])("%j", (text, problem) => {
    expect(read(text)).toEqual([problem]);
  });
});

describe("writing", () => {
  test("columns are the fields of the first documents, those within objects by their paths", () => {
    const { text } = written([
      ["1", { a: "x, y", b: { c: 1, d: [1, 2] }, e: {} }],
      ["2", { a: null, f: 'say "hi"', b: { c: true } }],
    ]);
    expect(text).toBe('key,a,b.c,b.d,e,f\n1,"x, y",1,"[1,2]",{},\n2,null,true,,,"say ""hi"""\n');
  });

  test("a field that is a value here and an object there has columns for both", () => {
    const documents = [
      ["1", { a: 1 }],
      ["2", { a: { b: 2, c: [] } }],
      ["3", { a: {} }],
    ] as const;
    const { text } = written(documents);
    expect(text).toBe("key,a,a.b,a.c\n1,1,,\n2,,2,[]\n3,{},,\n");
    expect(read(text)).toEqual([
      ...['2#1: 1 = json {"a":1}', '3#2: 2 = json {"a":{"b":2,"c":[]}}', '4#3: 3 = json {"a":{}}'],
    ]);
  });

  test("named columns are those alone, and the key can be left out", () => {
    const documents = [["1", { a: 1, b: { c: 2 } }]] as const;
    expect(written(documents, [["b", "c"], ["x"]]).text).toBe("key,b.c,x\n1,2,\n");
    expect(
      written(
        [
          ["1", { a: "" }],
          ["2", {}],
        ],
        [["a"]],
        true,
      ).text,
    ).toBe('a\n""\n""\n');
  });

  test("what cannot be said is counted", () => {
    const writer = new CsvWriter({ columns: undefined, isBare: false });
    for (let i = 0; i < 1000; i++) writer.add(document(`${i}`, { a: i }));
    writer.add(document("more", { a: 1, late: 2 }));
    writer.add(document("array", [1]));
    expect([writer.leftOut, writer.partly, writer.partlyField]).toEqual([1, 1, "late"]);
  });
});

test("a column names what it was made of", () => {
  const names = fc.array(fc.string({ unit: "grapheme" }), { minLength: 1, maxLength: 4 });
  fc.assert(fc.property(names, (path) => expect(columnNames(columnText(path))).toEqual(path)));
});

test("names that nobody wrote by these rules mean themselves", () => {
  for (const name of ["Price [EUR]", "Nr.", ".", "a..b", '"open', "a b"]) {
    expect(columnNames(name)).toEqual([name]);
  }
});

// Strings that a CSV cannot tell from other values are left out of what is generated.
const cellText = fc
  .string({ unit: "grapheme", minLength: 1 })
  .filter((text) => !/^[-\d{[]|^(true|false|null)$/.test(text));
const scalar = fc.oneof(cellText, fc.integer(), fc.boolean(), fc.constant(null));
const name = fc
  .string({ unit: "grapheme", minLength: 1, maxLength: 5 })
  .filter((text) => text !== "__proto__");
const flat = fc.dictionary(name, scalar, { minKeys: 1 });
const nested = fc.dictionary(name, fc.oneof(scalar, flat, fc.array(fc.jsonValue())), {
  minKeys: 1,
});

test("documents read as they were written", () => {
  fc.assert(
    fc.property(nested, fc.integer({ min: 1, max: 40 }), (value, size) => {
      const plain = JSON.parse(JSON.stringify(value));
      const { text } = written([["k", plain]]);
      const [item] = readAll(new CsvReader(USUAL), text, size);
      if (item?.kind !== "entry") throw new Error(`${text}: ${item?.message}`);
      expect(JSON.parse(item.entry.value.toString())).toEqual(plain);
    }),
  );
});
