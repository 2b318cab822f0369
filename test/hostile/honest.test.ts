/** What a guest may do, in every form: each frame arrives once, in order and byte for byte. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Wishes } from './guest.js'
import { AttackedSwitch } from './switch.js'

const SPLIT: Record<string, Wishes> = {
  'one descriptor a frame': {},
  'chains and indirect tables among them': { mixed: true },
  'a header of 10 bytes': { version1: false, mergeable: false },
  'a header of 10 bytes, chains': { version1: false, mergeable: false, mixed: true },
  'not mergeable': { mergeable: false, mixed: true },
  'several buffers a frame': { small: true, mixed: true },
  // Mergeable buffers of such a ring are never enough for librte, which sends while a message is dealt with.
  'a ring of 1': { size: 1, mergeable: false },
  'a ring of 2': { size: 2, frames: 1000 },
  'a ring of 32768': { size: 32768, max: 300, frames: 40_000 },
  'more frames than an index can count': { max: 100, frames: 70_000 },
  'more than that, chains': { max: 100, frames: 70_000, mixed: true },
  'memory in pieces, frames across their ends': { slices: 8, mixed: true },
  'calls wanted': { calls: true, mixed: true },
  'calls wanted, event index': { calls: true, eventIndex: true, mixed: true },
  'no calls wanted, event index': { eventIndex: true, mixed: true },
}

const PACKED: Record<string, Wishes> = {
  'one descriptor a frame': {},
  'chains and indirect tables among them': { mixed: true },
  'in order': { inOrder: true },
  'in order, chains and indirect tables among them': { inOrder: true, mixed: true },
  'not of version 1, chains': { version1: false, mergeable: false, mixed: true },
  'not mergeable, in order': { mergeable: false, inOrder: true, mixed: true },
  'several buffers a frame': { small: true, mixed: true },
  'a ring of 2': { size: 2, mergeable: false, frames: 1000 },
  'a ring of 100': { size: 100, mixed: true },
  'a ring of 100, in order': { size: 100, inOrder: true },
  'more frames than an index can count': { max: 100, frames: 70_000, mixed: true },
  'more than that, in order': { max: 100, frames: 70_000, inOrder: true },
  'memory in pieces, frames across their ends': { slices: 8, mixed: true },
  'calls wanted': { calls: true, mixed: true },
  'calls wanted, in order': { calls: true, inOrder: true },
  'calls wanted, event index': { calls: true, eventIndex: true, mixed: true },
}

for (const [layout, forms] of Object.entries({ split: SPLIT, packed: PACKED })) {
  describe(`${layout} rings as a guest may use them`, () => {
    let attacked: AttackedSwitch
    before(async () => {
      attacked = await AttackedSwitch.start()
    })
    after(() => attacked[Symbol.asyncDispose]())

    for (const [what, wishes] of Object.entries(forms)) {
      test(what, { timeout: 120_000 }, async () => {
        const frames = Number(wishes.frames ?? 2000)
        const packed = layout === 'packed'
        const report = await attacked.suffers('sane', { ...wishes, packed, frames })
        assert.deepEqual([report.there, report.back], [frames, frames])
        // With an event index the first one is always made, on each of four rings.
        if (!wishes.calls)
          assert.ok(
            Number(report.unwantedCalls) <= (wishes.eventIndex ? 4 : 0),
            `${report.unwantedCalls} calls`,
          )
      })
    }
  })
}
