import { createServer, type RequestListener, type Server } from 'node:http'

/** Connections at once; more are closed as they come. */
const MAX_CONNECTIONS = 128
/** How long requests that are under way may take once the server ends, in milliseconds. */
const END_MS = 200

/** An HTTP server whose clients may be slow, or vanish, and harm nobody but themselves. */
export function newHttpServer(handler: RequestListener): Server {
  const server = createServer(
    {
      // A header has to arrive in 10 s, a whole request in 30 s.
      headersTimeout: 10_000,
      requestTimeout: 30_000,
      connectionsCheckingInterval: 5_000,
      keepAliveTimeout: 5_000,
    },
    handler,
  )
  server.maxConnections = MAX_CONNECTIONS
  // A client that reads nothing of its answer is let go.
  server.setTimeout(120_000)
  server.on('clientError', (_error, socket) => {
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n')
    else socket.destroy()
  })
  return server
}

/** Takes no more connections, lets answers under way end, and closes what is left. */
export function endHttpServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const limit = setTimeout(() => server.closeAllConnections(), END_MS)
    server.close(() => {
      clearTimeout(limit)
      resolve()
    })
    server.closeIdleConnections()
  })
}
