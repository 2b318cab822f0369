import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import type { SwitchControl } from '../control.js'
import { readJson } from './body.js'
import { HttpError, toErrorAnswer } from './http-error.js'
import { toJson } from './json.js'
import { type Route, StreamAnswer } from './routes.js'

/** A request that was answered. */
export interface Answered {
  readonly method: string
  readonly url: string
  readonly status: number
  readonly milliseconds: number
  /** What was thrown, if anything. */
  readonly error: unknown
}

/** Serves `routes` and, at `/`, a list of them. Whatever a client does, nothing is thrown here. */
export function requestHandler(
  control: SwitchControl | Promise<SwitchControl>,
  routes: readonly Route[],
  onAnswered: (answered: Answered) => void,
): RequestListener {
  return (request, response) => {
    const since = performance.now()
    // A client that hangs up is its own affair.
    request.on('error', () => {})
    response.on('error', () => {})
    void answer(control, routes, request, response).then((error) => {
      const { method = '', url = '' } = request
      const milliseconds = performance.now() - since
      onAnswered({ method, url, status: response.statusCode, milliseconds, error })
    })
  }
}

/** Answers and returns what was thrown, if anything. */
async function answer(
  control: SwitchControl | Promise<SwitchControl>,
  routes: readonly Route[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<unknown> {
  try {
    const url = parseUrl(request.url)
    const { route, path } = findRoute(routes, request.method ?? '', url.pathname)
    const query = readQuery(route, url.searchParams)
    const body = route.body === undefined ? undefined : await readJson(request)
    const live =
      route.early === undefined ? await control : await Promise.race([control, undefined])
    const result = live ? await route.answer({ control: live, path, query, body }) : route.early
    const { status = route.statusOf?.(result) ?? 200, type } = route
    if (result instanceof StreamAnswer) await sendStream(response, route, result)
    else if (type !== undefined) send(response, status, bytesOf(result), { 'content-type': type })
    else sendJson(response, status, result)
    return undefined
  } catch (error) {
    sendError(response, error)
    return error
  }
}

/** Resolves when the stream has ended, or its reader is gone. */
async function sendStream(
  response: ServerResponse,
  { status = 200, type = 'application/octet-stream' }: Route,
  { stream, headers }: StreamAnswer,
): Promise<void> {
  // A reader that pauses, or for whom nothing comes, is not idle.
  response.setTimeout(0)
  response.writeHead(status, { ...headers, 'content-type': type, 'cache-control': 'no-store' })
  response.flushHeaders()
  await pipeline(stream, response).catch(() => {})
}

/** An error whose problems are no JSON, as they may hold what a client sent, is told without them. */
function sendError(response: ServerResponse, error: unknown): void {
  const { status, body } = toErrorAnswer(error)
  const headers = error instanceof HttpError ? error.headers : {}
  try {
    sendJson(response, status, body, headers)
  } catch {
    const { code, message } = body.error
    sendJson(response, status, { error: { code, message } }, headers)
  }
}

function parseUrl(text = '/'): URL {
  try {
    return new URL(text, 'http://vswitch')
  } catch {
    throw new HttpError(400, 'ERR_BAD_URL', `${text} is no path`)
  }
}

function findRoute(
  routes: readonly Route[],
  method: string,
  pathname: string,
): { route: Route; path: Record<string, string> } {
  const found = [...routes, indexOf(routes)].flatMap((route) => {
    const path = matchPath(route.path, pathname)
    return path === undefined ? [] : [{ route, path }]
  })
  if (found.length === 0) {
    throw new HttpError(404, 'ERR_NO_ROUTE', `there is nothing at ${pathname}; GET / lists what is`)
  }
  // HEAD is GET without the body, which node:http leaves out by itself.
  const wanted = method === 'HEAD' ? 'GET' : method
  const one = found.find(({ route }) => route.method === wanted)
  if (one !== undefined) return one
  const allow = found.map(({ route }) => route.method).join(', ')
  throw new HttpError(405, 'ERR_METHOD', `${pathname} takes ${allow}, not ${method}`, { allow })
}

/** The parts in braces of a pattern that a path fits. */
function matchPath(pattern: string, pathname: string): Record<string, string> | undefined {
  const wanted = pattern.split('/')
  const given = pathname.split('/')
  if (wanted.length !== given.length) return undefined
  const path: Record<string, string> = {}
  for (const [i, part] of wanted.entries()) {
    const value = given[i] as string
    const name = /^\{(\w+)\}$/.exec(part)?.[1]
    if (name === undefined) {
      if (part !== value) return undefined
    } else {
      try {
        path[name] = decodeURIComponent(value)
      } catch {
        return undefined
      }
    }
  }
  return path
}

function readQuery(route: Route, given: URLSearchParams): Record<string, string> {
  const known = Object.keys(route.query ?? {})
  const unknown = [...given.keys()].find((key) => !known.includes(key))
  if (unknown !== undefined) {
    const takes = known.length === 0 ? 'none' : known.join(', ')
    const message = `${JSON.stringify(unknown)} is no parameter of ${route.method} ${route.path}; it takes ${takes}`
    throw new HttpError(400, 'ERR_PARAMETER', message)
  }
  return Object.fromEntries(given)
}

function indexOf(routes: readonly Route[]): Route {
  const list = routes.map(({ method, path, summary, query, body }) => ({
    method,
    path,
    summary,
    query,
    body,
  }))
  return {
    method: 'GET',
    path: '/',
    summary: 'This list',
    answer: () => ({ routes: list }),
  }
}

function sendJson(
  response: ServerResponse,
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  const text = status === 204 ? '' : `${toJson(value)}\n`
  send(response, status, bytesOf(text), { 'content-type': 'application/json', ...headers })
}

/** Encoded here, once: for a string node:http takes three bytes a character, and its length has to be counted before. */
function bytesOf(body: unknown): Buffer {
  return Buffer.isBuffer(body) ? body : Buffer.from(String(body))
}

function send(
  response: ServerResponse,
  status: number,
  bytes: Buffer,
  headers: Readonly<Record<string, string>>,
): void {
  if (response.destroyed) return
  const length = status === 204 ? {} : { 'content-length': bytes.length }
  response.writeHead(status, { ...headers, ...length, 'cache-control': 'no-store' })
  response.end(bytes)
}
