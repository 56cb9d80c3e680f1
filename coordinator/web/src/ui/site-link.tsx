// Owns links to deployed sites: an address out of an answer is only followed when it is one of the web; anything else is
// shown as the text it is.
import type { ReactNode } from "react";

interface SiteLinkProps {
  url: string;
  className: string;
  children: ReactNode;
  title?: string;
}

export function SiteLink({ url, className, children, title }: SiteLinkProps) {
  if (!isSite(url)) return <span className={className} title={title}>{children}</span>;
  return (
    <a href={url} target="_blank" rel="noreferrer noopener" data-live-url className={className} title={title}>
      {children}
    </a>
  );
}

export function isSite(url: string): boolean {
  return /^https?:\/\/[^/\\]/i.test(url) && URL.canParse(url);
}
