// Decides whether nginx can load a location's proxy buffers next to each other.
// Source: ngx_http_proxy_module, where the location's configuration is merged. ingress-nginx writes the values down
// unchecked, and one location that nginx refuses keeps every Ingress of the controller in its old version.
import { parsesAsInt, trimSpace } from './go.ts'
import { sizeInBytes } from './size.ts'

/** The values of proxy-buffer-size, proxy-buffers-number, proxy-busy-buffers-size and proxy-max-temp-file-size. */
export type ProxyBuffers = {
  readonly size: string
  readonly number?: string | undefined
  readonly busy?: string | undefined
  readonly maxTempFile?: string | undefined
}

// What serves where the annotation is absent, unless the controller's ConfigMap says otherwise.
const DEFAULT_NUMBER = 4

export function buffersLoad({ size, number = '', busy = '', maxTempFile = '' }: ProxyBuffers): boolean {
  const bytes = sizeInBytes(size)
  if (bytes === undefined || bytes === 0) return false
  const count = parsesAsInt(number) ? Number(number) : DEFAULT_NUMBER
  if (count < 2) return false
  const busyBytes = trimSpace(busy) === '' ? 2 * bytes : sizeInBytes(busy)
  if (busyBytes === undefined || busyBytes < bytes || busyBytes > (count - 1) * bytes) return false
  // Only this one is left out of nginx.conf where it is no size; a number of gigabytes is always enough.
  const file = sizeInBytes(maxTempFile)
  return file === undefined || file === 0 || file >= bytes
}
