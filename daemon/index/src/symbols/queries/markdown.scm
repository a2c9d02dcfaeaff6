; A heading begins a section, which reaches to the next one of its level or above.
(atx_heading (atx_h1_marker) heading_content: (inline) @title) @reach.section.1
(atx_heading (atx_h2_marker) heading_content: (inline) @title) @reach.section.2
(atx_heading (atx_h3_marker) heading_content: (inline) @title) @reach.section.3
(atx_heading (atx_h4_marker) heading_content: (inline) @title) @reach.section.4
(atx_heading (atx_h5_marker) heading_content: (inline) @title) @reach.section.5
(atx_heading (atx_h6_marker) heading_content: (inline) @title) @reach.section.6
(setext_heading
  heading_content: (paragraph (inline) @title) (setext_h1_underline)) @reach.section.1
(setext_heading
  heading_content: (paragraph (inline) @title) (setext_h2_underline)) @reach.section.2
