import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { z } from 'zod'
import { ConfigError, show } from '../../src/config/config-error.js'
import {
  type DatapathOptions,
  type datapathOptions,
  validateDatapathOptions,
} from '../../src/config/datapath-options.js'
import {
  FEATURE_BITS,
  FEATURE_NAMES,
  featureMask,
  featureNames,
} from '../../src/config/features.js'
import { nearest } from '../../src/config/nearest.js'
import type { PortOptions, portOptions } from '../../src/config/port-options.js'
import {
  type RunOptions,
  type runOptions,
  validateLaunchOptions,
  validateRunOptions,
} from '../../src/config/run-options.js'
import { check, validate } from '../../src/config/validate.js'

// The types for users are written out for the sake of their documentation; here the compiler holds them against the schemas.
type Mutable<T> = T extends readonly (infer E)[]
  ? E[]
  : T extends object
    ? { -readonly [K in keyof T]: Mutable<T[K]> }
    : T
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : never) : never
const same: [
  Same<Mutable<DatapathOptions>, z.input<typeof datapathOptions>>,
  Same<Mutable<PortOptions>, z.input<typeof portOptions>>,
  Same<Mutable<RunOptions>, z.input<typeof runOptions>>,
] = [true, true, true]
assert.ok(same)

function messages(run: () => unknown): string[] {
  try {
    run()
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    return error.message.split('\n')
  }
  return []
}

describe('datapath options', () => {
  test('defaults', () => {
    const defaults = { memory: 'auto', memoryMiB: 256, mtu: 1500, ealArgs: [], peerTimeoutMs: 1000 }
    assert.deepEqual(validateDatapathOptions(), defaults)
    assert.deepEqual(validateDatapathOptions({}), defaults)
    assert.deepEqual(validateDatapathOptions({ mtu: undefined }), defaults)
  })

  test('problems', () => {
    const given = { memory: 'hugepage', memoryMiB: 32, mtu: '1500', ealArgs: ['-l', 1], x: 1 }
    assert.deepEqual(
      messages(() => validateDatapathOptions(given as never)),
      [
        'datapath options: 5 problems',
        '  - memory = "hugepage" is not a choice; did you mean hugepages?',
        '  - memoryMiB = 32 is less than 64; give a whole number from 64 to 65536',
        '  - mtu = "1500" is a string; write 1500 without the quotes',
        '  - ealArgs[1] = 1 is a number; give a string',
        '  - x = 1 is not an option; the options are memory, memoryMiB, mtu, ealArgs, peerTimeoutMs',
      ],
    )
  })
})

describe('run and launch options', () => {
  test('defaults', () => {
    const common = { ports: 'all', burst: 32, idle: 'adaptive', maxSleepMs: 10 }
    assert.deepEqual(validateRunOptions(), { ...common, budgetMicroseconds: 100 })
    const alone = { burstTimeoutMs: 2000, onStuck: 'restart' }
    assert.deepEqual(validateLaunchOptions(), { ...common, ...alone })
  })

  test('data goes through untouched', () => {
    const data = { any: [1, new Map()] }
    assert.equal(validateLaunchOptions({ data }).data, data)
  })

  test('problems', () => {
    const given = {
      ports: ['a', 3, ''],
      burst: 257,
      idle: null,
      budgetMicroseconds: Number.NaN,
      maxSleepMs: 0,
      name: 'x'.repeat(65),
    }
    const lines = messages(() => validateRunOptions(given as never))
    assert.equal(lines.length, 8, lines.join('\n'))
    assert.match(
      messages(() => validateRunOptions({ ports: 'every' } as never)).join(),
      /"all", "pinned" or an array/,
    )
    assert.match(messages(() => validateRunOptions({ ports: [] })).join(), /at least 1/)
    assert.match(
      messages(() => validateLaunchOptions({ budgetMicroseconds: 5 } as never)).join(),
      /not an option/,
    )
    assert.match(
      messages(() => validateLaunchOptions({ cpu: -1 })).join(),
      /cpu = -1 is less than 0/,
    )
  })
})

describe('validate', () => {
  test('finds values and fields below arrays and objects', () => {
    const schema = z.strictObject({ list: z.array(z.strictObject({ n: z.int().min(1).max(3) })) })
    assert.deepEqual(check(schema, { list: [{ n: 1 }, { n: 9, m: 0 }] }).problems, [
      {
        path: 'list[1].n',
        value: 9,
        message: 'is more than 3',
        fix: 'give a whole number from 1 to 3',
      },
      { path: 'list[1].m', value: 0, message: 'is not an option', fix: 'the options are n' },
    ])
  })

  test('one problem needs one line', () => {
    const error = messages(() =>
      validate(z.strictObject({ a: z.boolean() }), { a: 'yes' }, 'thing'),
    )
    assert.deepEqual(error, ['thing: a = "yes" is a string; give true or false'])
  })

  test('values are shown briefly, whatever they are', () => {
    const loop: Record<string, unknown> = {}
    loop.self = loop
    assert.equal(show(loop), 'object')
    assert.equal(show(Number.NaN), 'NaN')
    assert.equal(show(3n), '3n')
    assert.equal(
      show(() => 1),
      'function',
    )
    assert.ok(show('x'.repeat(1000)).length <= 160)
  })
})

describe('nearest', () => {
  const words = ['dpdkvhostuserclient', 'dpdkvhostuser', 'dpdk', 'queues', 'VIRTIO_NET_F_MQ']
  for (const [word, found] of [
    ['dpdkvhostuserclinet', 'dpdkvhostuserclient'],
    ['DPDK-vhost-user', 'dpdkvhostuser'],
    ['queue', 'queues'],
    ['queus', 'queues'],
    ['net_f_mq', 'VIRTIO_NET_F_MQ'],
    ['elephant', undefined],
    ['', undefined],
    ['x'.repeat(100_000), undefined],
  ] as const) {
    test(`${word.slice(0, 20)} → ${found}`, () => assert.equal(nearest(word, words), found))
  }
})

describe('features', () => {
  test('bits against the specification, a sample of each section', () => {
    assert.equal(FEATURE_BITS.VIRTIO_NET_F_MRG_RXBUF, 15)
    assert.equal(FEATURE_BITS.VIRTIO_NET_F_MQ, 22)
    assert.equal(FEATURE_BITS.VHOST_F_LOG_ALL, 26)
    assert.equal(FEATURE_BITS.VHOST_USER_F_PROTOCOL_FEATURES, 30)
    assert.equal(FEATURE_BITS.VIRTIO_F_RING_PACKED, 34)
    assert.equal(FEATURE_BITS.VIRTIO_NET_F_SPEED_DUPLEX, 63)
  })

  test('every bit has one name, in order', () => {
    const bits = FEATURE_NAMES.map((name) => FEATURE_BITS[name])
    assert.deepEqual(
      bits,
      [...new Set(bits)].sort((a, b) => a - b),
    )
  })

  test('masks and names are inverse', () => {
    assert.equal(featureMask(['VIRTIO_NET_F_CSUM', 'VIRTIO_F_VERSION_1']), 0x1_0000_0001n)
    assert.deepEqual(featureNames(featureMask(FEATURE_NAMES)), FEATURE_NAMES)
    assert.deepEqual(featureNames(1n << 48n), ['bit 48'])
  })
})
