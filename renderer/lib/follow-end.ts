// Keeps a scrolled region at its end while it grows, until the person scrolls up; arriving at the end again resumes.

/** This close to the end counts as being there. */
const END_PX = 48
/** Time in which the remaining way shrinks to a third; short enough to keep up, long enough to look like one motion. */
const EASE_MS = 45

/** Follows one region. */
export interface EndFollower {
  /** Svelte attachment for the scrolling element; its only child is what grows. */
  readonly attach: (region: HTMLElement) => () => void
  /** Goes to the end at once and follows it. */
  readonly toEnd: () => void
}

/** Makes a follower; `onchange` is told when the end is left or reached. */
export function followEnd(onchange: (atEnd: boolean) => void): EndFollower {
  let region: HTMLElement | null = null
  let following = true
  let lastTop = 0
  let frame = 0
  let lastStepMs = 0

  const setFollowing = (next: boolean): void => {
    if (following === next) return
    following = next
    onchange(next)
  }
  const remaining = (): number => (region === null ? 0 : region.scrollHeight - region.clientHeight - region.scrollTop)

  const step = (nowMs: number): void => {
    const elapsedMs = Math.max(1, nowMs - lastStepMs)
    lastStepMs = nowMs
    frame = 0
    if (region === null || !following) return
    const way = remaining()
    if (way < 1) return
    const jump = way > region.clientHeight || window.matchMedia('(prefers-reduced-motion: reduce)').matches
    region.scrollTop += jump ? way : Math.max(1, way * (1 - Math.exp(-elapsedMs / EASE_MS)))
    lastTop = region.scrollTop
    frame = requestAnimationFrame(step)
  }
  const schedule = (): void => {
    if (frame !== 0) return
    lastStepMs = performance.now()
    frame = requestAnimationFrame(step)
  }

  const onScroll = (): void => {
    if (region === null) return
    if (region.scrollTop < lastTop - 1 && remaining() > END_PX) setFollowing(false)
    else if (remaining() <= END_PX) setFollowing(true)
    lastTop = region.scrollTop
  }
  const onWheel = (event: WheelEvent): void => {
    if (event.deltaY < 0 && region !== null && region.scrollTop > 0) setFollowing(false)
  }

  return {
    attach(element) {
      region = element
      following = true
      element.scrollTop = element.scrollHeight
      lastTop = element.scrollTop
      const observer = new ResizeObserver(schedule)
      observer.observe(element)
      for (const child of element.children) observer.observe(child)
      element.addEventListener('scroll', onScroll, { passive: true })
      element.addEventListener('wheel', onWheel, { passive: true })
      return () => {
        observer.disconnect()
        cancelAnimationFrame(frame)
        frame = 0
        element.removeEventListener('scroll', onScroll)
        element.removeEventListener('wheel', onWheel)
        region = null
      }
    },
    toEnd() {
      setFollowing(true)
      if (region !== null) region.scrollTop = region.scrollHeight
      schedule()
    },
  }
}
