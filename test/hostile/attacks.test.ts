/** Whatever a guest writes to its rings or says on its socket: the switch lives, and serves others and whoever comes next. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { noFdLeft, openFds } from './fds.js'
import type { Wishes } from './guest.js'
import { AttackedSwitch } from './switch.js'

const LIMIT = { timeout: 120_000 }

/** Longer, and another seed each time, with `npm run test:asan -- hostile` in mind. */
const seed = Number(process.env.DPDK_VHOST_HOSTILE_SEED ?? 1)
const ms = Number(process.env.DPDK_VHOST_HOSTILE_MS ?? 300)

for (const lcores of [1, 2]) {
  describe(`a hostile guest, ${lcores} lcores`, () => {
    let attacked: AttackedSwitch
    before(async () => {
      attacked = await AttackedSwitch.start(lcores)
    })
    after(() => attacked[Symbol.asyncDispose]())

    for (const [what, wishes] of Object.entries<Wishes>({
      'descriptors that no driver writes': {},
      'the same with a header of 10 bytes': { version1: false, mergeable: false },
    })) {
      test(what, LIMIT, async () => {
        const { attacks } = await attacked.suffers('descriptors', wishes)
        assert.ok(Number(attacks) > 40)
      })
    }

    test('rings that change while they are read', LIMIT, async () => {
      const { rounds } = await attacked.suffers('scribble', { seed, ms })
      assert.ok(Number(rounds) > 1)
    })

    for (const kind of ['memory', 'addresses', 'enable', 'log', 'rarp', 'base', 'all']) {
      for (const mixed of [false, true]) {
        test(
          `${kind} messages while ${mixed ? 'mixed' : 'simple'} frames flow`,
          LIMIT,
          async () => {
            const { messages, there } = await attacked.suffers('messages', {
              kind,
              mixed,
              seed,
              ms,
            })
            assert.ok(Number(messages) > 10, `${messages} messages`)
            assert.ok(Number(there) > 100, `${there} frames`)
          },
        )
      }
    }

    test('hanging up at any moment', LIMIT, async () => {
      const { rounds } = await attacked.suffers('messages', { kind: 'hang-up', seed, ms })
      assert.ok(Number(rounds) > 5, `${rounds} rounds`)
    })

    for (const mergeable of [true, false]) {
      test(`more buffers than ${mergeable ? 'mergeable ' : ''}rings are long`, LIMIT, async () => {
        const { rounds } = await attacked.suffers('overruns', { mergeable, rounds: 14 })
        assert.equal(rounds, 14)
      })
    }

    test('buffers at the end of memory that are too small for a header', LIMIT, async () => {
      for (const mergeable of [true, false]) {
        const { frames, changed } = await attacked.suffers('behind-memory', { mergeable })
        assert.equal(frames, 3)
        assert.equal(changed, undefined, 'what is mapped behind a region was written to')
      }
    })

    test('frames that go round a packed ring many times', LIMIT, async () => {
      const { rounds } = await attacked.suffers('packed-overruns', { rounds: 8 })
      assert.equal(rounds, 8)
    })

    test('descriptors of rings that cannot be, and of what was never offered', LIMIT, async () => {
      const before = openFds()
      const { refused } = await attacked.suffers('leaked-descriptors', { rounds: 3 })
      assert.equal(refused, 42)
      await noFdLeft(before)
    })

    test('eventfds for calls that are full, and wait', LIMIT, async () => {
      const { cut } = await attacked.suffers('blocked-calls')
      assert.equal(cut, 1)
    })

    test('messages that no front-end sends', LIMIT, async () => {
      await attacked.suffers('refused')
    })
  })
}

test('a RARP that is due where there is room for one frame', LIMIT, async () => {
  await using attacked = await AttackedSwitch.start(1, 1)
  const { rarps } = await attacked.suffers('packed-rarps', { rounds: 8 })
  assert.equal(rarps, 8)
})
