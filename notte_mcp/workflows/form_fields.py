"""How Notte's form field names are found on a page: autocomplete token and words of a label.

Below: nothing. Above: the script writers.
"""

from typing import Final

FORM_WORDS: Final = {
    "title": ("honorific-prefix", r"^(title|salutation)\b"),
    "first_name": ("given-name", r"first.?name|given.?name|forename"),
    "middle_name": ("additional-name", r"middle.?name"),
    "last_name": ("family-name", r"last.?name|surname|family.?name"),
    "full_name": ("name", r"^(full.?|your.?)?name\b"),
    "email": ("email", r"e-?mail"),
    "company": ("organization", r"company|organi[sz]ation"),
    "address1": ("address-line1", r"^(street|address)( ?(line)? ?1)?$|street address"),
    "address2": ("address-line2", r"address.*2|apartment|suite"),
    "address3": ("address-line3", r"address.*3"),
    "city": ("address-level2", r"city|town"),
    "state": ("address-level1", r"state|province|region|county"),
    "postal_code": ("postal-code", r"post(al)?.?code|zip"),
    "country": ("country-name", r"country"),
    "phone": ("tel", r"phone|mobile|^tel"),
    "cc_name": ("cc-name", r"name on card|card.?holder"),
    "cc_number": ("cc-number", r"card.?(number|no)"),
    "cc_exp_month": ("cc-exp-month", r"exp.*month"),
    "cc_exp_year": ("cc-exp-year", r"exp.*year"),
    "cc_exp": ("cc-exp", r"expir|exp.?date"),
    "cc_cvv": ("cc-csc", r"cvv|cvc|csc|security code"),
    "username": ("username", r"user.?name|login"),
    "password": ("current-password", r"^(current.?)?password"),
    "current_password": ("current-password", r"^(current.?)?password"),
    "new_password": ("new-password", r"new.?password"),
    "totp": ("one-time-code", r"one.?time|verification|authenticator|otp"),
}
"""Field name to (autocomplete token, pattern of its label or placeholder, whatever the case)."""
