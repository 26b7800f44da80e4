// CL-01: a thousand who lose their connection together do not come back together.
import assert from "node:assert/strict";
import { test } from "node:test";
import { world } from "./fakes.js";

const CROWD = 1000;
const BIN_MS = 100;

/** How many come back in each tenth of a second. @param {(it: any, index: number) => Promise<void>} lose */
async function returns(lose) {
  const bins = new Map();
  for (let index = 0; index < CROWD; index += 1) {
    const it = await world().online();
    it.clock.draw = (index * 0.618_033_988_75) % 1; // as evenly as chance never is: the law alone is looked at
    await lose(it, index);
    const from = it.clock.time;
    const { retry_ms: wait } = it.told.findLast((event) => event.state === "waiting");
    await it.clock.pass(wait - 0.001);
    assert.equal(it.sockets.length, 1, "it waits as long as it said");
    await it.clock.pass(0.001);
    assert.equal(it.sockets.length, 2);
    const bin = Math.floor((it.clock.time - from) / BIN_MS);
    bins.set(bin, (bins.get(bin) ?? 0) + 1);
  }
  return [...bins].sort(([a], [b]) => a - b);
}

test("after a planned restart each comes back in the slot that it was given", async () => {
  const bins = await returns(async (it, index) => {
    await it.give({ type: "bye", code: "shutdown", reconnect: true, after_ms: 1000 + index * 10 });
    await it.close(4001);
  });
  assert.equal(bins.length, 100);
  assert.deepEqual([bins[0][0], bins.at(-1)[0]], [10, 109]); // from 1 s to 11 s
  for (const [bin, count] of bins) assert.ok(Math.abs(count - 10) <= 1, `${count} in ${bin}`); // within a tenth
});

test("after a crash the first attempts are spread over half a second", async () => {
  const bins = await returns((it) => it.close(1006));
  assert.deepEqual(bins.map(([bin]) => bin), [3, 4, 5, 6, 7]); // 300 ms to 800 ms
  for (const [, count] of bins) assert.ok(Math.abs(count - CROWD / 5) <= 5, String(count));
});

test("attempt after attempt they are spread more widely, by the mean of the law", async () => {
  const means = [550, 800, 1300, 2300, 4300, 8300, 10_300, 10_300];
  const sums = means.map(() => 0);
  const some = 100;
  for (let index = 0; index < some; index += 1) {
    const it = world();
    it.clock.draw = (index + 0.5) / some;
    it.chat.connect();
    for (const attempt of means.keys()) {
      await it.close(1006);
      const wait = it.told.findLast((event) => event.state === "waiting").retry_ms;
      sums[attempt] += wait;
      await it.clock.pass(wait);
    }
  }
  assert.deepEqual(sums.map((sum) => Math.round(sum / some)), means);
});
