/**
 * Signatures: the examples that Amazon publishes, for the client and for the server of the tests,
 * which do not share code.
 */
import { expect, test } from "bun:test";
import { encodeS3, signatureHeaders } from "../../../src/backup/s3-signature.ts";
import { expectedSignature, parseAuthorization } from "../../suites/s3-signature.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html, examples 3 and 4. */
const signer = {
  region: "us-east-1",
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
};
const nowMs = Date.UTC(2013, 4, 24);
const host = "examplebucket.s3.amazonaws.com";

test.each([
  ["?lifecycle=", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"],
  ["?max-keys=2&prefix=J", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"],
  ["?prefix=J&max-keys=2", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"],
])("Amazon's example %s", (query, signature) => {
  const url = new URL(`https://${host}/${query}`);
  const headers = signatureHeaders({ method: "GET", url, body: undefined }, signer, nowMs);
  expect(headers["authorization"]).toBe(
    "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, " +
      `SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=${signature}`,
  );
  expect(headers["x-amz-date"]).toBe("20130524T000000Z");

  const authorization = parseAuthorization(headers["authorization"]);
  if (authorization === undefined) throw new Error("not understood");
  const parts = {
    method: "GET",
    target: `/${query}`,
    headers: { host, ...headers },
    timestamp: "20130524T000000Z",
    secretAccessKey: signer.secretAccessKey,
  };
  expect(expectedSignature(parts, authorization)).toBe(signature);
});

test("a session token is signed too", () => {
  const url = new URL(`https://${host}/a`);
  const request = { method: "PUT", url, body: Buffer.from("x") };
  const headers = signatureHeaders(request, { ...signer, sessionToken: "TOKEN" }, nowMs);
  expect(headers["x-amz-security-token"]).toBe("TOKEN");
  expect(headers["authorization"]).toContain(
    "SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token",
  );
});

test("names are encoded as S3 wants it", () => {
  expect(encodeS3("a b/ü!'()*~-._")).toBe("a%20b%2F%C3%BC%21%27%28%29%2A~-._");
});
