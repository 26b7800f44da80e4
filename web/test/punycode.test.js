import assert from "node:assert/strict";
import { test } from "node:test";
import punycode from "../stubs/punycode.js";

test("hosts become what the network knows; what is none throws, as the package does", () => {
  assert.equal(punycode.toASCII("例子.测试"), "xn--fsqu00a.xn--0zwm56d");
  assert.equal(punycode.toASCII("example.com"), "example.com");
  assert.throws(() => punycode.toASCII("not a host"), TypeError);
  assert.equal(punycode.toUnicode("例子.测试"), "例子.测试");
});
