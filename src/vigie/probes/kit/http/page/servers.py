"""Pages of web servers, caches and load balancers: their error pages, and what they show before anybody has set them up."""

import re

from vigie.probes.kit.http.page.parse import Page
from vigie.probes.kit.http.page.signs import Family, Finding, Sign, Where

_S, _P, _D = Family.SERVER, Family.PROXY, Family.DEFAULT

ERRORS = (
    Sign("Varnish error page", _P, "guru meditation", heading=r"error \d{3} .{0,60}", text="guru meditation"),
    Sign("Squid error page", _P, "the requested url could not be retrieved", title=r"error: the requested url could not be retrieved"),
    Sign("Squid error page", _P, "squid", raw=(b"ERR_", b"squid/"), text=r"\(squid/[\d.]+\)$"),
    # In whatever language: the body is named by the error (errorpage.cc), and the template's parts by its style sheet.
    Sign("Squid error page", _P, "", raw=(b'<body id="ERR_', b'<div id="titles">'), words=400),
    Sign("Squid error page", _P, "", raw=(b"<body id=ERR_", b'<div id="titles">'), words=400),
    Sign("Squid error page", _P, "squid", raw=(b"<!-- ERR_",), text=r"\(squid(/[\w.-]{1,40})?\)", words=400),
    Sign("Privoxy error page", _P, "(privoxy@", title=r"[45]\d\d - .{1,80} \(privoxy@.{1,80}\)"),
    Sign("CloudFront error page", _P, "the request could not be satisfied", title="error: the request could not be satisfied"),
    Sign("Fastly error page", _P, "fastly error:", start="fastly error: "),
    Sign(
        "Akamai error page",
        _P,
        "reference #",
        title=r"(service unavailable|error|invalid url|gateway|.{0,20}timeout).{0,20}",
        text=r"reference #(11|9|97|30|102|111|159)\.",
    ),
    Sign("Akamai error page", _P, "reference #", start=r"an error occurred while processing your request\. reference #"),
    Sign("Cloudflare 5xx page", _P, "error code 5", text=r"error code 5\d\d", raw=(b"cf-error-details",), words=400, links=30),
    Sign("Cloudflare 5xx page", _P, "| 5", title=r".{1,120} \| 5\d\d: .{0,80}", raw=(b"cf-",), words=400, links=30),
    Sign(
        "Cloudflare 1xxx page",
        _P,
        "error",
        heading=r"error:? ?(1000|1001|1002|1003|1004|1011|1014|1016|1018|1023|1033|1101|1102|1104)\b",
        raw=(b"cf-error-details",),
        words=400,
        links=30,
    ),
    Sign("Google front end error", _P, "that's an error", title=r"error \d{3} \(.{0,40}", text="that's an error"),
    Sign(
        "Google front end error",
        _P,
        "error: server error",
        heading="error: server error",
        text="the server encountered (an|a temporary) error and could not complete your request",
    ),
    Sign("Envoy error", _P, "upstream connect error", start="upstream connect error or disconnect/reset before headers"),
    Sign("Envoy error", _P, "no healthy upstream", start="no healthy upstream$"),
    Sign("Kubernetes default backend", _P, "default backend - 404", start="default backend - 404$"),
    Sign("Go or Traefik not found", _P, "404 page not found", start="404 page not found$"),
    Sign("HAProxy error page", _P, "no server is available to handle this request", text="no server is available to handle this request"),
    Sign("Azure Front Door error", _P, "our services aren't available right now", heading="our services aren't available right now"),
    Sign(
        "Azure gateway error",
        _P,
        "microsoft-azure-application-gateway",
        title=r"\d{3} .{0,40}",
        text=r"microsoft-azure-application-gateway/v\d",
    ),
    Sign("Bunny CDN error", _P, "domain suspended or not configured", title="domain suspended or not configured"),
    Sign(
        "Imperva error page",
        _P,
        "error code 20",
        text=r"(the proxy failed to connect to the web server|error code 20)",
        raw=(b"incapsula",),
    ),
    Sign("DDoS-Guard error page", _P, "ddos-guard", title=r"(error )?5\d\d.{0,40}", text="ddos-guard"),
    Sign("Apache resource limit", Family.HOSTING, "resource limit is reached", heading="resource limit is reached"),
    Sign("Bandwidth limit exceeded", Family.HOSTING, "bandwidth limit exceeded", heading="(509 )?bandwidth limit exceeded"),
)

DEFAULTS = (
    Sign(
        "nginx welcome page",
        _D,
        "welcome to ",
        heading=r"welcome to (nginx|openresty|tengine|freenginx|angie)\b.{0,40}",
        text=r"(if you (can )?see|successfully installed|used to test|further configuration)",
        words=400,
    ),
    Sign(
        "Linux test page",
        _D,
        "test page",
        title=r".{0,40}(test page for the|http server test page|server test page|test page powered by).{0,60}",
        text=r"(used to test the proper operation|website administrator|are you the administrator)",
        words=500,
        links=25,
    ),
    Sign("Apache default page", _D, "default page", title=r"apache2 .{0,30}default page.{0,30}", words=700, links=30),
    Sign("Apache It works page", _D, "it works!", start=r"it works!( apache.{0,40})?$"),
    Sign("Caddy welcome page", _D, "caddy", title="caddy works!", words=500, links=30),
    Sign("LiteSpeed default page", _D, "congratulation", title="congratulation$", text="litespeed", words=300, links=30),
    Sign("lighttpd placeholder page", _D, "placeholder page", heading="(index.html )?placeholder page", words=400),
    Sign(
        "IIS default page",
        _D,
        "iis",
        title=r"(iis windows( server)?|iis ?\d*(\.\d)?|microsoft internet information services \d+)$",
        raw=(b"<img",),
        words=60,
    ),
    Sign(
        "IIS default page", _D, "under construction", title="under construction$", text="does not currently have a default page", words=300
    ),
    Sign(
        "Tomcat default page", _D, "apache tomcat", title="apache tomcat", text="you've successfully installed tomcat", words=600, links=60
    ),
    Sign("GlassFish default page", _D, "your server is now running", heading="your server is now running", words=500, links=40),
    Sign("WildFly default page", _D, "welcome to ", title="welcome to (wildfly|jboss)", words=300, links=30),
    Sign("Jetty default page", _D, "welcome to jetty", heading="welcome to jetty", words=300, links=30),
    Sign("XAMPP default page", _D, "welcome to xampp", title="(welcome to )?xampp", text="welcome to xampp", words=600, links=40),
    Sign("WampServer default page", _D, "wampserver", title="wampserver (homepage|server)", words=900, links=90),
    Sign("Bitnami default page", _D, "bitnami", heading="congratulations! you are now running bitnami", words=300, links=30),
    Sign("Synology default page", _D, "web station", title="(hello! )?welcome to synology web station", words=200),
    Sign(
        "Django welcome page",
        _D,
        "the install worked successfully",
        title="(the install worked successfully! congratulations!|django: the web framework for perfectionists|welcome to django)",
        words=200,
    ),
    Sign("Rails welcome page", _D, "rails version:", title="ruby on rails", text="rails version:", words=100),
    Sign(
        "Laravel welcome page",
        _D,
        "laravel has wonderful documentation",
        title="laravel",
        text="laravel has wonderful documentation",
        words=400,
        links=40,
    ),
    Sign("Symfony welcome page", _D, "welcome to symfony", title="welcome to symfony", words=200, links=30),
    Sign("CodeIgniter welcome page", _D, "welcome to codeigniter", title="welcome to codeigniter", words=400, links=30),
    Sign("CakePHP welcome page", _D, "welcome to cakephp", text="welcome to cakephp [\\d.]+", words=400, links=40),
    Sign("Yii welcome page", _D, "my yii application", title="my yii application", text="congratulations!", words=300, links=30),
    Sign("Express welcome page", _D, "welcome to express", title="express$", start="express welcome to express$"),
    Sign(
        "Drupal empty site",
        _D,
        "no front page content has been created yet",
        text="no front page content has been created yet",
        words=300,
        links=40,
    ),
    Sign(
        "Elastic Beanstalk welcome page",
        _D,
        "elastic beanstalk",
        start="congratulations.{0,80}(elastic beanstalk|is now running on)",
        words=200,
        links=30,
    ),
    Sign(
        "Azure default page",
        _D,
        "your web app is running",
        text="your (web )?app (service )?is (up and )?running( and waiting for your content)?",
        title=".{0,40}(azure|web app|app service).{0,40}",
        words=200,
        links=20,
    ),
    Sign(
        "Azure default page",
        _D,
        "app service is up and running",
        text="developers!? your app service is up and running",
        words=200,
        links=20,
    ),
    Sign("Heroku welcome page", _D, "welcome to your new app", title="heroku \\| welcome to your new app", words=200),
    Sign("Firebase welcome page", _D, "firebase hosting setup complete", title="welcome to firebase hosting", words=200, links=20),
    Sign("Firebase welcome page", _D, "firebase hosting setup complete", text="firebase hosting setup complete", words=120),
    Sign("Apache default page", _D, "apache is functioning normally", start="apache is functioning normally$"),
    Sign(
        "cPanel default page",
        _D,
        "contact your hosting provider",
        heading="sorry!?$",
        text="if you are the owner of this (web ?site|domain)",
        words=300,
    ),
    Sign(
        "Plesk default page",
        _D,
        "default",
        title=r"(web server's default page|domain default page|default (plesk )?(parallels )?.{0,20}page)",
        text="plesk",
        words=400,
        links=30,
    ),
    Sign("ISPConfig default page", _D, "ispconfig", title="welcome", text="(default index page|powered by ispconfig)", words=200),
    Sign(
        "Hosting panel default page",
        _D,
        "",
        title=r"(success!|welcome|hello,? world :-\)|.{0,40}default page|.{0,60})",
        text=r"(powered by (vestacp|vesta|hestiacp|hestia|froxlor|keyhelp|cyberpanel|cloudpanel|virtualmin|runcloud|interworx)|cyberpanel installed|hello world :-\)$)",
        words=120,
    ),
    Sign("BT panel default page", _D, "站点创建成功", heading="恭喜.{0,4}站点创建成功", words=300),
    Sign("BT panel no site", Family.HOSTING, "没有找到站点", heading="没有找到站点", words=300),
    Sign("Hostinger default page", _D, "you are all set to go", heading="you are all set to go", words=300, links=30),
    Sign(
        "Web server default page",
        _D,
        "default web page",
        title=r"(default web ?(site )?page|default web site|web site default page)",
        words=200,
    ),
)

_DOCUMENT = re.compile(r"(?:\S{3,12} (?:[45]\d\d|\(none\))|error)$")


def error_document(page: Page) -> Finding | None:
    """Apache's translated error documents, in any language: the title is the heading, below it "Error 404" and the server's address."""
    if len(page.headings) < 2 or page.title != page.headings[0] or page.links > 4:
        return None
    if not any(_DOCUMENT.match(heading) for heading in page.headings[1:3]):
        return None
    if b'rev="made"' not in page.raw and page.tree.css_first("address") is None:
        return None
    return Finding("Apache error document", Family.SERVER, Where.HEADING)
