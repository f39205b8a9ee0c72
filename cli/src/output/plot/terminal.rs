//! A drawing area of text: lines are dots of Braille characters, labels are text.

use std::convert::Infallible;
use std::io::{self, IsTerminal as _};

use plotters::style::text_anchor::{HPos, VPos};
use plotters_backend::{
    BackendColor, BackendCoord, BackendTextStyle, DrawingBackend, DrawingErrorKind,
};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

type Drawn = Result<(), DrawingErrorKind<Infallible>>;

/// A drawing area with 2 by 4 dots per character. `\0` fills the second column of a wide character.
pub(super) struct Terminal<'t> {
    text: &'t mut String,
    width: usize,
    rows: Vec<Vec<char>>,
}

/// The height in lines.
const HEIGHT: usize = 20;

impl<'t> Terminal<'t> {
    pub(super) fn new(text: &'t mut String) -> Self {
        let size = terminal_size::terminal_size().filter(|_| io::stdout().is_terminal());
        let width = size.map_or(80, |(width, _)| usize::from(width.0).clamp(40, 120));
        let rows = vec![vec![' '; width]; HEIGHT];
        Terminal { text, width, rows }
    }

    fn cell(&mut self, column: i32, row: i32) -> Option<&mut char> {
        let row = self.rows.get_mut(usize::try_from(row).ok()?)?;
        row.get_mut(usize::try_from(column).ok()?)
    }
}

impl DrawingBackend for Terminal<'_> {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        (2 * self.width as u32, 4 * HEIGHT as u32)
    }

    fn ensure_prepared(&mut self) -> Drawn {
        Ok(())
    }

    fn present(&mut self) -> Drawn {
        self.text.clear();
        for row in &self.rows {
            let row: String = row.iter().filter(|one| **one != '\0').collect();
            *self.text += row.trim_end();
            self.text.push('\n');
        }
        Ok(())
    }

    fn draw_pixel(&mut self, (x, y): BackendCoord, colour: BackendColor) -> Drawn {
        const DOTS: [[u32; 2]; 4] = [[1, 8], [2, 16], [4, 32], [64, 128]];
        // Grid lines are skipped, because dots have one brightness: the value could not be told from the grid.
        if let Some(cell) = self.cell(x.div_euclid(2), y.div_euclid(4))
            && colour.alpha > 0.5
        {
            let dots = match *cell {
                ' ' => 0x2800,
                other => u32::from(other),
            };
            if (0x2800..0x2900).contains(&dots) {
                let dots = dots | DOTS[y.rem_euclid(4) as usize][x.rem_euclid(2) as usize];
                *cell = char::from_u32(dots).unwrap_or(' ');
            }
        }
        Ok(())
    }

    fn draw_text<S: BackendTextStyle>(
        &mut self,
        text: &str,
        style: &S,
        (x, y): BackendCoord,
    ) -> Drawn {
        let width = text.width() as i32;
        let left = match style.anchor().h_pos {
            HPos::Left => 0,
            HPos::Center => width / 2,
            HPos::Right => width,
        };
        let up = i32::from(matches!(style.anchor().v_pos, VPos::Bottom));
        let mut column = (x / 2 - left).max(0);
        for one in text.chars() {
            for n in 0..one.width().unwrap_or(0) {
                if let Some(cell) = self.cell(column, (y / 4 - up).max(0)) {
                    *cell = if n == 0 { one } else { '\0' };
                }
                column += 1;
            }
        }
        Ok(())
    }

    fn estimate_text_size<S: BackendTextStyle>(
        &self,
        text: &str,
        _: &S,
    ) -> Result<(u32, u32), DrawingErrorKind<Infallible>> {
        Ok((2 * text.width() as u32, 4))
    }
}
