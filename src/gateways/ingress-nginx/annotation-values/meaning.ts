// What a value of the external authentication must be beyond its alphabet for ingress-nginx 1.15.1 to do what it says.
// Source: internal/ingress/annotations/authreq and how rootfs/etc/nginx/template/nginx.tmpl writes the values down.
import { trimSpace } from './go.ts'

type Meaning = (trimmed: string) => boolean

/** Written into nginx.conf without quotes: a second word there keeps nginx from loading any configuration. */
export const oneWord: Meaning = value => !/\s/.test(value)

/** StringToURL wants a scheme and a host without "..", or denies the location; nginx wants http or https. */
export const httpUrl: Meaning = value => {
  const match = /^https?:\/\/([-._~a-z0-9,&=$]+)(?::\d{1,5})?(?:[/?]\S*)?$/i.exec(value)
  return match !== null && !match[1]?.includes('..')
}

/** The controller tests names one by one, after it allowed spaces inside them. */
export const headerNames: Meaning = value => value.split(',').every(part => /^[A-Za-z0-9\-_]*$/.test(trimSpace(part)))

/** The controller lets unknown words pass next to a time, nginx does not; and nginx wants the time last and once. */
export const cacheDurations: Meaning = value =>
  value.split(',').every(part => {
    const words = part.split(' ').filter(word => word !== '')
    const time = words.pop()
    return time === undefined || (/^\d+[smhdwMy]$/.test(time) && words.every(word => /^\d{3}$/.test(word)))
  })

/** Anything else is no key in the controller's store, so the location is denied. */
export const namespacedName: Meaning = value => /^[^/\s]+\/[^/\s]+$/.test(value)

/** Without a namespace the Ingress's own counts. */
export const objectName: Meaning = value => /^[^/\s]+(?:\/[^/\s]+)?$/.test(value)
