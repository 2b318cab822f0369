import type { Readable } from 'node:stream'
import { ConfigError, type Problem, validate } from 'dpdk-vhost'
import { captureOptions } from 'dpdk-vhost/capture'
import * as z from 'zod'
import type { ReadyView, SwitchControl } from '../control.js'

/** What a route is handed. */
export interface Call {
  readonly control: SwitchControl
  /** The parts of the path in braces. */
  readonly path: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string>>
  readonly body: unknown
}

/** An answer that goes on until it ends, or its reader does. */
export class StreamAnswer {
  constructor(
    readonly stream: Readable,
    readonly headers: Readonly<Record<string, string>>,
  ) {}
}

/** Something that can be asked. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** `/v1/ports/{name}` */
  readonly path: string
  readonly summary: string
  /** Parameters after `?`, and what each is. */
  readonly query?: Readonly<Record<string, string>>
  /** The body's fields, and what each is. */
  readonly body?: Readonly<Record<string, string>> | string
  /** Changes nothing and tells no secrets: served over TCP as well. */
  readonly public?: true
  /** Status when all went well, if not 200. */
  readonly status?: number
  /** Status of an answer, where it depends on that. */
  statusOf?(answer: unknown): number
  /** Media type of the answer, if not JSON. */
  readonly type?: string
  /** What is answered while the switch starts, in place of waiting for it. */
  readonly early?: unknown
  answer(call: Call): unknown
}

const ALIVE = { alive: true }

const STRICT = 'true: only rules of exactly this match and priority'
const SELECTION = 'rules to choose, as of ovs-ofctl: table=0,tcp'

const rulesBody = z.strictObject({ rules: z.array(z.string()) })
const ruleBody = z.strictObject({ rule: z.string() })
const programBody = z.strictObject({
  file: z.string().startsWith('/').describe('an absolute path'),
  data: z.unknown().optional(),
})
const captureBody = captureOptions.extend({ ports: captureOptions.shape.ports.min(1).optional() })

/** All that can be asked, in the order of `GET /`. */
export const ROUTES: readonly Route[] = [
  {
    method: 'GET',
    path: '/v1/show',
    summary: 'The switch: version, memory, bridges, ports, lcores',
    answer: ({ control }) => control.show(),
  },
  {
    method: 'GET',
    path: '/v1/ports',
    summary: 'All ports and their state',
    answer: ({ control }) => control.ports(),
  },
  {
    method: 'POST',
    path: '/v1/ports',
    summary: 'Adds a port',
    body: 'the port as in the file: { "name", "type", "bridge", "path", "tag", ... }',
    status: 201,
    answer: ({ control, body }) => control.portAdd(body),
  },
  {
    method: 'PATCH',
    path: '/v1/ports/{name}',
    summary: 'Changes keys of a port; "remade" tells whether it had to be made anew',
    body: 'the keys to change, as in the file; null takes one away',
    answer: ({ control, path, body }) =>
      control.portSet(
        path.name as string,
        validate(z.record(z.string(), z.unknown()), body, 'changes'),
      ),
  },
  {
    method: 'DELETE',
    path: '/v1/ports/{name}',
    summary: 'Removes a port',
    status: 204,
    answer: ({ control, path }) => control.portDelete(path.name as string),
  },
  {
    method: 'GET',
    path: '/v1/lcores',
    summary: 'The threads that poll, and their rx queues',
    answer: ({ control }) => control.lcores(),
  },
  {
    method: 'GET',
    path: '/v1/stats',
    summary: 'Counters of ports and bridges',
    answer: ({ control }) => control.stats(),
  },
  {
    method: 'GET',
    path: '/v1/bridges/{bridge}/flows',
    summary: 'Rules and their counters, the most important first',
    query: { selection: SELECTION },
    answer: ({ control, path, query }) => control.flows(path.bridge as string, query.selection),
  },
  {
    method: 'GET',
    path: '/v1/bridges/{bridge}/flows/labelled',
    summary: 'Rules with a cookie, at most a thousand, in the order they came',
    answer: ({ control, path }) => control.flowsLabelled(path.bridge as string),
  },
  {
    method: 'GET',
    path: '/v1/bridges/{bridge}/flows/explain',
    summary: 'What the compiler made of the rules',
    answer: ({ control, path }) => control.flowsExplain(path.bridge as string),
  },
  {
    method: 'POST',
    path: '/v1/bridges/{bridge}/flows',
    summary: 'Adds rules: all of them or, if one is wrong, none',
    body: { rules: 'array of rules as of ovs-ofctl' },
    answer: ({ control, path, body }) =>
      control.flowAdd(path.bridge as string, validate(rulesBody, body, 'flow add').rules),
  },
  {
    method: 'PUT',
    path: '/v1/bridges/{bridge}/flows',
    summary: 'Puts these rules in place of all',
    body: { rules: 'array of rules as of ovs-ofctl' },
    answer: ({ control, path, body }) =>
      control.flowReplace(path.bridge as string, validate(rulesBody, body, 'flow replace').rules),
  },
  {
    method: 'PATCH',
    path: '/v1/bridges/{bridge}/flows',
    summary: 'Gives the chosen rules other actions; "modified" tells how many there were',
    query: { strict: STRICT },
    body: { rule: 'rules to choose, and their new actions' },
    answer: async ({ control, path, query, body }) => {
      const { rule } = validate(ruleBody, body, 'flow mod')
      return { modified: await control.flowModify(path.bridge as string, rule, isStrict(query)) }
    },
  },
  {
    method: 'DELETE',
    path: '/v1/bridges/{bridge}/flows',
    summary:
      'Deletes the chosen rules, without a selection all; "deleted" tells how many there were',
    query: { selection: SELECTION, strict: STRICT },
    answer: async ({ control, path, query }) => ({
      deleted: await control.flowDelete(
        path.bridge as string,
        query.selection ?? '',
        isStrict(query),
      ),
    }),
  },
  {
    method: 'GET',
    path: '/v1/bridges/{bridge}/mac',
    summary: 'Addresses learnt and static',
    answer: ({ control, path }) => control.mac(path.bridge as string),
  },
  {
    method: 'DELETE',
    path: '/v1/bridges/{bridge}/mac',
    summary: 'Forgets the addresses learnt; "flushed" tells how many there were',
    answer: ({ control, path }) => ({ flushed: control.macFlush(path.bridge as string) }),
  },
  {
    method: 'PUT',
    path: '/v1/bridges/{bridge}/program',
    summary: "Loads a program in place of the bridge's flows or switching",
    body: { file: 'absolute path of a TypeScript or JavaScript module', data: 'handed to it' },
    answer: ({ control, path, body }) => {
      const { file, data } = validate(programBody, body, 'program load')
      return control.programLoad(path.bridge as string, file, data)
    },
  },
  {
    method: 'DELETE',
    path: '/v1/bridges/{bridge}/program',
    summary: "Back to the bridge's flows, or to switching",
    status: 204,
    answer: ({ control, path }) => control.programUnload(path.bridge as string),
  },
  {
    method: 'GET',
    path: '/v1/captures',
    summary: 'Captures that run, and their counters',
    answer: ({ control }) => control.captures(),
  },
  {
    method: 'POST',
    path: '/v1/captures',
    summary: 'Captures frames: a stream of pcapng, whose place is in the header "location"',
    body: {
      ports: 'names of ports; without them all, and those that come later',
      filter: 'as of tcpdump',
      snaplen: 'bytes of each frame that are kept',
      count: 'the end after so many frames',
      direction: 'rx, tx or both',
    },
    status: 201,
    type: 'application/x-pcapng',
    answer: async ({ control, body }) => {
      const { id, stream } = await control.capture(validate(captureBody, body ?? {}, 'capture'))
      return new StreamAnswer(stream, { location: `/v1/captures/${id}` })
    },
  },
  {
    method: 'DELETE',
    path: '/v1/captures/{id}',
    summary: 'Ends a capture: its stream gets what is left, and the statistics',
    status: 204,
    answer: ({ control, path }) => control.captureEnd(Number(path.id)),
  },
  {
    method: 'POST',
    path: '/v1/reload',
    summary: 'Reads the configuration again and applies the difference',
    answer: ({ control }) => control.reload(),
  },
  {
    method: 'POST',
    path: '/v1/stop',
    summary: 'Ends the switch',
    status: 202,
    // Answered first: the end closes this connection.
    answer: ({ control }) => {
      setImmediate(() => control.stop())
      return { stopping: true }
    },
  },
  {
    method: 'GET',
    path: '/metrics',
    summary: "Metrics in Prometheus' text format",
    public: true,
    type: 'text/plain; version=0.0.4; charset=utf-8',
    answer: ({ control }) => control.metrics(),
  },
  {
    method: 'GET',
    path: '/healthz',
    summary: 'Whether the process answers',
    public: true,
    early: ALIVE,
    answer: () => ALIVE,
  },
  {
    method: 'GET',
    path: '/readyz',
    summary: '200 once the ports of the configuration exist and lcores run; 503 and what is not',
    public: true,
    early: { ready: false, problems: ['it is starting'] } satisfies ReadyView,
    statusOf: (view) => ((view as ReadyView).ready ? 200 : 503),
    answer: ({ control }) => control.ready(),
  },
]

function isStrict({ strict }: Call['query']): boolean {
  if (strict === undefined || strict === 'false') return false
  if (strict === 'true') return true
  const problem: Problem = {
    path: 'strict',
    value: strict,
    message: 'is not a choice',
    fix: 'give true or false',
  }
  throw new ConfigError('query', [problem])
}
